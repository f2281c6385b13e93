namespace Concertina.Compute.Model;

/// <summary>
/// How a retrofitted model decides which tokens its KV cache may drop: dynamic memory sparsification (DMS) with delayed
/// eviction, decisions read from a neuron of the query. Per layer and KV head the logit of token t is
/// <c>Scale * q - Offset</c>, q being element <see cref="Neuron"/> of the first query head of the group at token t + 1,
/// before RoPE; above 0 the token is marked, and not needed once <see cref="Window"/> tokens have followed it. The element
/// is a decision, not a feature: a runner sets it to 0 before and after RoPE, whether or not anything is evicted.
/// Source: Lancucki et al. 2025, "Inference-Time Hyper-Scaling with KV Cache Compression", arXiv 2506.05345.
/// </summary>
public sealed record KvMethod
{
    /// <summary>The method's name in model files (key <c>kvc.method</c>).</summary>
    public const string Dms = "dms";

    /// <summary>Name of the method; <see cref="Dms"/> is the one known.</summary>
    public required string Name { get; init; }

    /// <summary>Element of the first query head of each group that decides; 0 to the head's channels - 1, in the file's own order of channels.</summary>
    public required int Neuron { get; init; }

    /// <summary>What is subtracted from the neuron's value (c); above 0.</summary>
    public required float Offset { get; init; }

    /// <summary>Factor of the neuron's value (S), 1 where the export folded it into the weights; above 0.</summary>
    public required float Scale { get; init; }

    /// <summary>Age in tokens up to which a marked token is still attended to (w): it may go at age w + 1; at least 1.</summary>
    public required int Window { get; init; }

    /// <summary>Rows from a token to the row that decides about it; 1 for DMS.</summary>
    public required int Shift { get; init; }

    /// <summary>First tokens of a sequence that training never dropped, whatever is decided about them; 0 for none.</summary>
    public int Sinks { get; init; }

    /// <summary>Compression ratio that was asked for, among the tokens that may be dropped; at least 1.</summary>
    public required float TargetRatio { get; init; }

    /// <summary>
    /// Measured ratio of decided to kept tokens of each head, [layers, kvHeads], each at least 1: 1 / (1 - marked share), among the
    /// tokens that may be dropped.
    /// </summary>
    public required IReadOnlyList<float> MeasuredRatios { get; init; }

    /// <summary>SHA-256 of the model file that was retrofitted, lower-case hexadecimal.</summary>
    public required string BaseHash { get; init; }
}
