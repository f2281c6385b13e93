namespace Concertina.Compute.Engine.Scheduling;

/// <summary>Virtual time of one tenant: rows served, divided by weight. Engine thread only.</summary>
internal sealed class TenantClock(string tenantId)
{
    /// <summary>Stands for no tenant until a run is queued.</summary>
    public static TenantClock None { get; } = new("");

    public string TenantId { get; } = tenantId;

    /// <summary>Rows served over weight.</summary>
    public double Served { get; set; }

    /// <summary>Rows of admitted prompts not yet computed, over weight: admission counts them as served.</summary>
    public double Promised { get; set; }

    /// <summary>Requests queued or running.</summary>
    public int Requests { get; set; }

    public LinkedList<Run> Waiting { get; } = [];

    /// <summary>Runs of this tenant that could have rows in the step being filled, first to be served first.</summary>
    public Run? FirstCandidate { get; set; }

    public Run? LastCandidate { get; set; }

    /// <summary>Round of a search in which it was looked at.</summary>
    public long Visit { get; set; }
}
