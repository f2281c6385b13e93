using Orleans;

namespace Concertina.Contracts.Sessions;

/// <summary>One numbered piece of a generation. A receiver accepts only continuous indices.</summary>
[GenerateSerializer]
[Immutable]
[Alias("concertina.token-chunk")]
public sealed record TokenChunk
{
    /// <summary>Index of the first token of this chunk among the generated tokens, from 0.</summary>
    [Id(0)] public int Index { get; init; }

    /// <summary>Packed token ids (<see cref="TokenPacking"/>); may be empty.</summary>
    [Id(1)] public byte[] Tokens { get; init; } = [];

    /// <summary>On the first chunk of an accepted request: what admission found.</summary>
    [Id(2)] public AdmissionFacts? Admission { get; init; }

    /// <summary>On the only chunk of a refused request: why, with numbers.</summary>
    [Id(3)] public Refusal? Refusal { get; init; }

    /// <summary>On the last chunk: how it ended.</summary>
    [Id(4)] public FinishFacts? Finish { get; init; }
}
