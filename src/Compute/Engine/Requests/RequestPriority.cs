namespace Concertina.Compute.Engine;

/// <summary>How urgent a tenant's requests are beside those of others. It orders admission and weighs in the plan of rungs.</summary>
public enum RequestPriority
{
    /// <summary>Makes way first.</summary>
    Low = -1,

    /// <summary>What a request has that says nothing.</summary>
    Normal = 0,

    /// <summary>Admitted before others, squeezed after them.</summary>
    High = 1,
}
