using Orleans;

namespace Concertina.Contracts.Workers;

/// <summary>Some of the sessions of a worker, in the order of their keys.</summary>
/// <param name="Sessions">At most <see cref="MostSessions"/>.</param>
/// <param name="HasMore">True when others follow.</param>
[GenerateSerializer]
[Immutable]
[Alias("concertina.session-page")]
public sealed record SessionPage(
    [property: Id(0)] HeldSession[] Sessions,
    [property: Id(1)] bool HasMore)
{
    /// <summary>Most sessions of one page, so that it fits a message.</summary>
    public const int MostSessions = 100;
}
