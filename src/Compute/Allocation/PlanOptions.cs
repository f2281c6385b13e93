namespace Concertina.Compute.Allocation;

/// <summary>What the plan trades off.</summary>
public sealed record PlanOptions
{
    /// <summary>
    /// Hysteresis, the only rule of its kind: a session is let out only as far as it also would be with this share of the budget
    /// less, so that a budget that wobbles by less moves nobody to and fro. 0 to below 1. Default 0.03: more costs distortion (a tenth nearly all that the plan gains over one rung for everybody).
    /// </summary>
    public double Hysteresis { get; init; } = 0.03;

    /// <summary>Nats per token that attention taking once more the lossless time is worth. Default 1e-4.</summary>
    public double AttendCost { get; init; } = 1e-4;

    /// <summary>Nats per token that a second of encoding is worth. Default 5e-4.</summary>
    public double EncodeCost { get; init; } = 5e-4;

    /// <summary>Idle seconds after which a session weighs half. Default 30.</summary>
    public double IdleHalfSeconds { get; init; } = 30;

    /// <summary>Least share of its weight that an idle session keeps. Default 0.02.</summary>
    public double LeastIdleShare { get; init; } = 0.02;

    /// <exception cref="ArgumentOutOfRangeException">A figure is outside its range.</exception>
    public void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfNegative(Hysteresis);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(Hysteresis, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(AttendCost);
        ArgumentOutOfRangeException.ThrowIfNegative(EncodeCost);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(IdleHalfSeconds);
        ArgumentOutOfRangeException.ThrowIfNegative(LeastIdleShare);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(LeastIdleShare, 1);
    }
}
