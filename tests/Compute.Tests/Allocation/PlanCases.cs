using Concertina.Compute.Allocation;

namespace Concertina.Compute.Tests.Allocation;

/// <summary>Ladders and sessions, drawn from seeds.</summary>
internal static class PlanCases
{
    public static readonly PlanOptions Plain = new() { Hysteresis = 0, AttendCost = 0, EncodeCost = 0 };

    /// <summary>The shipped ladder of the demo model, in round numbers.</summary>
    public static PlanLadder Demo(PlanOptions? options = null, uint trainedSources = 0b10111) => new(
    [
        new PlanRung { Name = "f16", BytesPerToken = 4096, Distortion = 0 },
        new PlanRung { Name = "int8", BytesPerToken = 2176, Distortion = 1.6e-4, AttendRatio = 0.74, EncodeSecondsPerToken = 7e-6 },
        new PlanRung { Name = "int4", BytesPerToken = 1152, Distortion = 6e-4, AttendRatio = 0.67, EncodeSecondsPerToken = 7e-6 },
        new PlanRung { Name = "int2", BytesPerToken = 640, Distortion = 9.6e-3, AttendRatio = 0.58, EncodeSecondsPerToken = 7e-6 },
        new PlanRung { Name = "commvq2", BytesPerToken = 544, Distortion = 3.8e-3, AttendRatio = 7.6, EncodeSecondsPerToken = 4e-4, Sources = trainedSources },
    ], exactTokens: 192, options ?? Plain);

    /// <summary>Rungs whose distortion rises as bytes fall, but not convexly.</summary>
    public static PlanLadder Draw(Random random, int rungs, PlanOptions options)
    {
        double bytes = 4096;
        double distortion = 0;
        List<PlanRung> ladder = [new PlanRung { Name = "f16", BytesPerToken = bytes, Distortion = 0 }];
        while (ladder.Count < rungs)
        {
            bytes *= 0.4 + (0.5 * random.NextDouble());
            distortion += 1e-3 * Math.Pow(random.NextDouble(), 2) * ladder.Count;
            ladder.Add(new PlanRung { Name = $"r{ladder.Count}", BytesPerToken = bytes, Distortion = distortion });
        }
        return new PlanLadder(ladder, exactTokens: 128, options);
    }

    public static PlanSession[] Sessions(Random random, int count, int rungs, bool spread = false) =>
        [.. Enumerable.Range(0, count).Select(_ => Session(random, rungs, spread))];

    /// <summary>Bytes of all sessions on one choice of rungs.</summary>
    public static double Bytes(PlanLadder ladder, PlanSession[] sessions, ReadOnlySpan<int> rungs)
    {
        double bytes = 0;
        for (int session = 0; session < sessions.Length; session++)
        {
            bytes += ladder.Bytes(sessions[session], rungs[session]);
        }
        return bytes;
    }

    public static double Cost(PlanLadder ladder, PlanSession[] sessions, ReadOnlySpan<int> rungs)
    {
        double cost = 0;
        for (int session = 0; session < sessions.Length; session++)
        {
            cost += ladder.Cost(sessions[session], rungs[session]);
        }
        return cost;
    }

    private static PlanSession Session(Random random, int rungs, bool spread)
    {
        int floor = random.Next(rungs);
        return new PlanSession(
            Tokens: random.Next(64, 9000),
            SharedBytes: random.Next(4) == 0 ? random.Next(1 << 20) : 0,
            Rung: spread ? random.Next(floor + 1) : 0,
            Floor: floor,
            Weight: 0.25 + (4 * random.NextDouble()),
            IdleSeconds: random.Next(3) == 0 ? random.Next(600) : 0,
            MayRise: random.Next(4) > 0);
    }
}
