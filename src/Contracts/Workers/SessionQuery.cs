using Orleans;

namespace Concertina.Contracts.Workers;

/// <summary>Which sessions of a worker are asked for.</summary>
/// <param name="TenantId">Only those of this tenant that have a name; null: all.</param>
/// <param name="After">Only those with a greater grain key, by ordinal order; null: from the first.</param>
/// <param name="Limit">Most sessions, 1 to <see cref="SessionPage.MostSessions"/>.</param>
[GenerateSerializer]
[Immutable]
[Alias("concertina.session-query")]
public sealed record SessionQuery(
    [property: Id(0)] string? TenantId,
    [property: Id(1)] string? After,
    [property: Id(2)] int Limit);
