using Concertina.Compute.KvCache.Codecs.CommVq;

namespace Concertina.Compute.Calibration.CommVq;

/// <summary>How codebooks are trained.</summary>
internal sealed record CommVqTraining
{
    /// <summary>Levels and stages.</summary>
    public required CommVqShape Shape { get; init; }

    /// <summary>Seed of all draws; the result depends on it and the data alone.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Heads trained at the same time, at least 1.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>Which codebooks: those of the ladder, or an arm's.</summary>
    public CommVqArm Arm { get; init; } = CommVqArm.None;

    /// <summary>Most iterations with each vector at its nearest pair, at least 1.</summary>
    public int HardIterations { get; init; } = 24;

    /// <summary>Iterations with falling temperature; 0 skips them.</summary>
    public int SoftIterations { get; init; } = 10;

    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    public void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Threads, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(HardIterations, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(SoftIterations);
    }
}
