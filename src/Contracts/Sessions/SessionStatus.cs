using Orleans;

namespace Concertina.Contracts.Sessions;

/// <summary>A snapshot of one session.</summary>
/// <param name="Exists">False if nothing is known of it.</param>
/// <param name="Busy">True while a request runs.</param>
/// <param name="TokenCount">Tokens of its sequence.</param>
/// <param name="WarmTokens">Tokens whose units are in the arena now.</param>
/// <param name="KvBytes">Physical KV bytes its table refers to.</param>
/// <param name="Exact">True while every column is exact.</param>
/// <param name="Rung">Name of the deepest rung any of its units is on, or was when they left.</param>
[GenerateSerializer]
[Immutable]
[Alias("concertina.session-status")]
public sealed record SessionStatus(
    [property: Id(0)] bool Exists,
    [property: Id(1)] bool Busy,
    [property: Id(2)] int TokenCount,
    [property: Id(3)] int WarmTokens,
    [property: Id(4)] long KvBytes,
    [property: Id(5)] bool Exact,
    [property: Id(6)] string Rung);
