using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using Concertina.Compute.Allocation;

namespace Concertina.Micro;

/// <summary>Times the plan of 10,000 sessions, again and again as tokens and idle times change, on the demo model's ladder.</summary>
internal static class PlanBench
{
    private const int Sessions = 10_000;
    private const int Plans = 200;
    private const int Seed = 1;

    public static void Run(TextWriter output, string? jsonFile, string? commit)
    {
        Random random = new(Seed);
        PlanLadder ladder = DemoLadder();
        PlanSession[] sessions = [.. Enumerable.Range(0, Sessions).Select(_ => new PlanSession(
            Tokens: random.Next(64, 8192), SharedBytes: 0, Rung: 0, Floor: random.Next(ladder.Count), Weight: 0.5 * (1 << random.Next(4)),
            IdleSeconds: random.Next(2) * 300 * random.NextDouble(), MayRise: true))];
        double budget = sessions.Sum(session => ladder.Bytes(session, 0)) / 2;
        (double[] milliseconds, long allocated, int moved) = Measure(random, ladder, sessions, budget);
        object result = new
        {
            command = "dotnet run -c Release --project bench/Micro -- plan bench/results/plan-10000.json COMMIT",
            commit,
            hardware = $"{Environment.ProcessorCount} logical cores, {RuntimeInformation.ProcessArchitecture}, {RuntimeInformation.OSDescription}",
            runtime = RuntimeInformation.FrameworkDescription,
            what = $"{Sessions} sessions re-planned {Plans} times at half of their lossless bytes, one thread; {moved} rungs changed",
            sessions = Sessions,
            medianMs = Math.Round(milliseconds[Plans / 2], 3),
            p99Ms = Math.Round(milliseconds[Plans * 99 / 100], 3),
            maxMs = Math.Round(milliseconds[^1], 3),
            allocatedBytesPerPlan = allocated / Plans,
        };
        string json = JsonSerializer.Serialize(result);
        output.WriteLine(json);
        if (jsonFile is not null)
        {
            File.WriteAllText(jsonFile, json + "\n");
        }
    }

    private static (double[] Milliseconds, long AllocatedBytes, int Moved) Measure(Random random, PlanLadder ladder, PlanSession[] sessions, double budget)
    {
        RungPlan plan = new(ladder);
        int[] rungs = new int[sessions.Length];
        plan.Solve(sessions, budget, rungs);
        double[] milliseconds = new double[Plans];
        int moved = 0;
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int round = 0; round < Plans; round++)
        {
            for (int i = 0; i < sessions.Length; i++)
            {
                moved += sessions[i].Rung == rungs[i] ? 0 : 1;
                sessions[i] = sessions[i] with
                {
                    Rung = rungs[i],
                    Tokens = (sessions[i].Tokens + random.Next(64)) % 8192,
                    IdleSeconds = random.Next(8) == 0 ? 0 : sessions[i].IdleSeconds + 0.25,
                };
            }
            long start = Stopwatch.GetTimestamp();
            plan.Solve(sessions, budget, rungs);
            milliseconds[round] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Array.Sort(milliseconds);
        return (milliseconds, allocated, moved);
    }

    // The demo model's rungs as bench/results/eval-demo.json has them.
    private static PlanLadder DemoLadder() => new(
    [
        Rung("f16", 4099, 0, 1, 0), Rung("int8", 2194, 1.6e-4, 0.74, 6.6e-6), Rung("k8v4", 1686, 2.5e-4, 0.72, 5.8e-6),
        Rung("int4", 1178, 6.1e-4, 0.67, 7.5e-6), Rung("k4v2", 924, 3.09e-3, 0.63, 7.5e-6),
        Rung("commvq2", 575, 3.81e-3, 7.6, 3.7e-4), Rung("commvq1", 321, 1.36e-2, 4.3, 1.8e-4),
    ], exactTokens: 192, new PlanOptions());

    private static PlanRung Rung(string name, double bytes, double distortion, double attend, double encode) => new()
    {
        Name = name,
        BytesPerToken = bytes,
        Distortion = distortion,
        AttendRatio = attend,
        EncodeSecondsPerToken = encode,
    };
}
