using Concertina.Compute.Allocation;
using Concertina.Compute.KvCache.Transcoding;

namespace Concertina.Engine.Tests.Simulation;

/// <summary>The demo model's ladder as it was measured (bench/results/eval-demo.json): 16 heads of 64 channels, three exact columns.</summary>
internal static class SimLadder
{
    private const int ExactTokens = (Squeezer.SinkColumns * 64) + Squeezer.RecentTokens;
    private const uint Any = uint.MaxValue;

    private static readonly PlanRung[] Rungs =
    [
        Rung("f16", 4099, 0, 1, 0, Any),
        Rung("int8", 2194, 1.6e-4, 0.74, 6.6e-6, Any),
        Rung("k8v4", 1686, 2.5e-4, 0.72, 5.8e-6, Any),
        Rung("int4", 1178, 6.1e-4, 0.67, 7.5e-6, Any),
        Rung("k4v2", 924, 3.09e-3, 0.63, 7.5e-6, Any),
        // Trained codecs take nothing coarser than 4 bits, but for the second, which is the first cut in half.
        Rung("commvq2", 575, 3.81e-3, 7.6, 3.7e-4, 0b1111),
        Rung("commvq1", 321, 1.36e-2, 4.3, 1.8e-4, 0b10_1111),
    ];

    public static int Count => Rungs.Length;

    public static PlanOptions Options { get; } = new();

    public static PlanLadder All(PlanOptions options) => new(Rungs, ExactTokens, options);

    public static PlanLadder Quick(PlanOptions options) => new([.. Rungs.Select((rung, at) => IsQuick(at) ? rung : rung with { Entries = 0 })], ExactTokens, options);

    public static bool IsQuick(int rung) => rung < 5;

    public static bool Reaches(int from, int to) => ((Rungs[to].Sources >> from) & 1) != 0;

    public static double Distortion(int rung) => Rungs[rung].Distortion;

    public static long Bytes(int tokens, int rung)
    {
        int exact = Math.Min(tokens, ExactTokens);
        return (long)((exact * Rungs[0].BytesPerToken) + ((tokens - exact) * Rungs[rung].BytesPerToken));
    }

    public static double IdleShare(double seconds) => Math.Max(Options.LeastIdleShare, Options.IdleHalfSeconds / (Options.IdleHalfSeconds + seconds));

    private static PlanRung Rung(string name, double bytes, double distortion, double attend, double encode, uint sources) => new()
    {
        Name = name,
        BytesPerToken = bytes,
        Distortion = distortion,
        AttendRatio = attend,
        EncodeSecondsPerToken = encode,
        Sources = sources,
    };
}
