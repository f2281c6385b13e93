namespace Concertina.Compute.Allocation;

/// <summary>One rung of a model's ladder, as the plan sees it.</summary>
public sealed record PlanRung
{
    /// <summary>Stable name.</summary>
    public required string Name { get; init; }

    /// <summary>Physical bytes per token outside the exact parts, page lists included.</summary>
    public required double BytesPerToken { get; init; }

    /// <summary>Mean divergence from the lossless rung, in nats per token.</summary>
    public required double Distortion { get; init; }

    /// <summary>Attention's time per cached token, divided by that of the lossless rung.</summary>
    public double AttendRatio { get; init; } = 1;

    /// <summary>Seconds that moving one token here takes.</summary>
    public double EncodeSecondsPerToken { get; init; }

    /// <summary>Bit i is set when a session on rung i may be moved here: provenance. By default from anywhere.</summary>
    public uint Sources { get; init; } = uint.MaxValue;

    /// <summary>
    /// Of those, the rungs that this plan itself moves from: fewer where only quick moves count. What floors promise must be
    /// reachable by provenance alone.
    /// </summary>
    public uint Entries { get; init; } = uint.MaxValue;
}
