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
    [property: Id(4)] bool Running)
{
    /// <summary>Name of the rung it is on its way to, the deepest of its units at least; null: its rung.</summary>
    [Id(5)] public string? Target { get; init; }

    /// <summary>Name of the deepest rung its last request allows; null: its rung.</summary>
    [Id(6)] public string? Floor { get; init; }

    /// <summary>How much its distortion counts, above 0.</summary>
    [Id(7)] public double Weight { get; init; } = 1;

    /// <summary>Whether it may be let out again; false in economy.</summary>
    [Id(8)] public bool MayRise { get; init; }
}
