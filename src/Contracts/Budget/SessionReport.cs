using Orleans;

namespace Concertina.Contracts.Budget;

/// <summary>One session in a worker's report.</summary>
/// <param name="SequenceKey">Grain key.</param>
/// <param name="Tokens">Tokens with units in the arena.</param>
/// <param name="Bytes">Physical bytes its table refers to.</param>
/// <param name="Rung">Name of its rung.</param>
/// <param name="Running">True while it holds a commitment.</param>
[GenerateSerializer]
[Immutable]
[Alias("concertina.session-report")]
public sealed record SessionReport(
    [property: Id(0)] string SequenceKey,
    [property: Id(1)] int Tokens,
    [property: Id(2)] long Bytes,
    [property: Id(3)] string Rung,
    [property: Id(4)] bool Running);
