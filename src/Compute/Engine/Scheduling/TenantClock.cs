using Concertina.Compute.Engine.Metering;

namespace Concertina.Compute.Engine.Scheduling;

/// <summary>Virtual time of one tenant: rows served, or rows that its share of the cache is worth where that is more, divided by weight. Engine thread only.</summary>
internal sealed class TenantClock(string tenantId)
{
    /// <summary>Stands for no tenant until a run is queued.</summary>
    public static TenantClock None { get; } = new("");

    public string TenantId { get; } = tenantId;

    /// <summary>Rows served over weight, and what <see cref="ByteWeights"/> added.</summary>
    public double Served { get; set; }

    /// <summary>Rows of admitted prompts not yet computed, over weight: admission counts them as served.</summary>
    public double Promised { get; set; }

    /// <summary>Rows served since bytes were weighed last, whatever the weight.</summary>
    public double Rows { get; set; }

    /// <summary>Weight of the run served last.</summary>
    public double Weight { get; set; } = 1;

    /// <summary>What it holds of the cache; null until <see cref="Know"/>.</summary>
    public TenantMeter? Meter { get; private set; }

    /// <summary>Its byte-seconds when bytes were weighed last.</summary>
    public double WeighedByteSeconds { get; set; }

    /// <summary>From now on it is weighed by what it holds, not for what it held before.</summary>
    public void Know(TenantMeter meter)
    {
        if (Meter is null)
        {
            (Meter, WeighedByteSeconds) = (meter, meter.ByteSeconds);
        }
    }

    /// <summary>Requests queued or running.</summary>
    public int Requests { get; set; }

    public LinkedList<Run> Waiting { get; } = [];

    /// <summary>Runs of this tenant that could have rows in the step being filled, first to be served first.</summary>
    public Run? FirstCandidate { get; set; }

    public Run? LastCandidate { get; set; }

    /// <summary>Round of a search in which it was looked at.</summary>
    public long Visit { get; set; }
}
