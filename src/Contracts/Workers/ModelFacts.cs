using Orleans;

namespace Concertina.Contracts.Workers;

/// <summary>What a gateway must know of a served model; fetched once per model hash.</summary>
[GenerateSerializer]
[Immutable]
[Alias("concertina.model-facts")]
public sealed record ModelFacts
{
    /// <summary>Name clients use.</summary>
    [Id(0)] public required string Name { get; init; }

    /// <summary>Hash of weights and tokenizer data, hexadecimal.</summary>
    [Id(1)] public required string Hash { get; init; }

    /// <summary>Architecture, for example <c>llama</c>.</summary>
    [Id(2)] public required string Architecture { get; init; }

    /// <summary>Longest sequence, in tokens.</summary>
    [Id(3)] public required int ContextLength { get; init; }

    /// <summary>Number of token ids.</summary>
    [Id(4)] public required int VocabularySize { get; init; }

    /// <summary>Number of weights.</summary>
    [Id(5)] public required long ParameterCount { get; init; }

    /// <summary>Bytes of the weights in memory.</summary>
    [Id(6)] public required long WeightBytes { get; init; }

    /// <summary>KV bytes per token on the lossless rung.</summary>
    [Id(7)] public required long KvBytesPerToken { get; init; }

    /// <summary>Unix time in seconds at which the model was loaded.</summary>
    [Id(8)] public required long LoadedAtUnixSeconds { get; init; }

    /// <summary>Weights hash, kernel path and unit formats.</summary>
    [Id(9)] public required string DeterminismClass { get; init; }

    /// <summary>Length of the tokenizer bytes.</summary>
    [Id(10)] public required int TokenizerBytes { get; init; }
}
