using Orleans;

namespace Concertina.Contracts.Sessions;

/// <summary>How the next token is drawn. Draws come from a counter-based generator keyed by (seed, position).</summary>
[GenerateSerializer]
[Immutable]
[Alias("concertina.sampling")]
public sealed record SamplingSettings
{
    /// <summary>0 is greedy; 1 leaves the distribution as it is.</summary>
    [Id(0)] public float Temperature { get; init; } = 1;

    /// <summary>Keeps the k most likely tokens; 0 is off.</summary>
    [Id(1)] public int TopK { get; init; }

    /// <summary>Keeps the smallest set of tokens whose probability reaches this share, in (0, 1]; 1 is off.</summary>
    [Id(2)] public float TopP { get; init; } = 1;

    /// <summary>Drops tokens below this share of the most likely one, in [0, 1]; 0 is off.</summary>
    [Id(3)] public float MinP { get; init; }

    /// <summary>Seed of the draws.</summary>
    [Id(4)] public long Seed { get; init; }
}
