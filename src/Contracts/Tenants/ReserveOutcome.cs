using Orleans;

namespace Concertina.Contracts.Tenants;

/// <summary>Outcome of <see cref="ITenantGrain.Reserve"/>.</summary>
[GenerateSerializer]
[Alias("concertina.reserve-outcome")]
public enum ReserveOutcome
{
    /// <summary>Reserved.</summary>
    [Id(0)] Granted,

    /// <summary>The key is not one of the tenant's (401).</summary>
    [Id(1)] InvalidKey,

    /// <summary>The key lacks the model (403).</summary>
    [Id(2)] ModelNotAllowed,

    /// <summary>Too many requests in the window (429).</summary>
    [Id(3)] RequestLimit,

    /// <summary>Too many tokens in the window (429).</summary>
    [Id(4)] TokenLimit,

    /// <summary>The budget is used up (429 insufficient_quota).</summary>
    [Id(5)] BudgetSpent,
}
