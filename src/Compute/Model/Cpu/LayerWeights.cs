using Concertina.Compute.Kernels.Matrices;

namespace Concertina.Compute.Model.Cpu;

/// <summary>Packed weights of one layer.</summary>
internal sealed record LayerWeights
{
    public required float[] AttentionNorm { get; init; }

    public required PackedMatrix Query { get; init; }

    public required PackedMatrix Key { get; init; }

    public required PackedMatrix Value { get; init; }

    public required PackedMatrix AttentionOutput { get; init; }

    public required float[] FeedForwardNorm { get; init; }

    public required PackedMatrix Gate { get; init; }

    public required PackedMatrix Up { get; init; }

    public required PackedMatrix Down { get; init; }
}
