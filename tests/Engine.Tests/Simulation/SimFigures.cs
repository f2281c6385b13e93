namespace Concertina.Engine.Tests.Simulation;

/// <summary>What a simulation counts.</summary>
internal sealed class SimFigures
{
    public long Arrivals { get; set; }

    public long Finished { get; set; }

    public long Refused { get; set; }

    public long Reflexes { get; set; }

    public long StaleAssignments { get; set; }

    public long Squeezes { get; set; }

    public long Undone { get; set; }

    public long DroppedIdle { get; set; }

    public long Resizes { get; set; }

    public long SilentTicks { get; set; }

    public int LongestWait { get; set; }

    public int LongestStandstill { get; set; }

    /// <summary>Plans that were compared with a common rung.</summary>
    public long Compared { get; set; }

    /// <summary>Weighted distortion of the plans, in nats per token, summed over those that were compared.</summary>
    public double Distortion { get; set; }

    /// <summary>Of what the sessions were on at that moment.</summary>
    public double HeldDistortion { get; set; }

    /// <summary>Of the shallowest common rung that fits.</summary>

    public double CommonRungDistortion { get; set; }

    public override string ToString() =>
        $"{Arrivals} arrivals, {Finished} finished, {Refused} refused, {Reflexes} reflexes, {StaleAssignments} stale, {Squeezes} squeezes, {Undone} undone, " +
        $"{DroppedIdle} idle dropped, {Resizes} resizes, {SilentTicks} silent ticks, longest wait {LongestWait}, standstill {LongestStandstill}, " +
        $"distortion {Distortion:F1} (held {HeldDistortion:F1}) against {CommonRungDistortion:F1} in {Compared} plans";
}
