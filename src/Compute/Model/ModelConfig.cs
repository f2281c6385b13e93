using Concertina.Compute.KvCache;

namespace Concertina.Compute.Model;

/// <summary>Shape of a decoder-only transformer.</summary>
public sealed record ModelConfig
{
    /// <summary>Architecture name as in the model file, for example <c>llama</c>.</summary>
    public required string Architecture { get; init; }

    /// <summary>Name the file gives itself, or the file's name.</summary>
    public required string Name { get; init; }

    /// <summary>Number of transformer layers.</summary>
    public required int LayerCount { get; init; }

    /// <summary>Width of the residual stream.</summary>
    public required int EmbeddingLength { get; init; }

    /// <summary>Width of the feed-forward layer.</summary>
    public required int FeedForwardLength { get; init; }

    /// <summary>Number of query heads; a multiple of <see cref="KvHeadCount"/>.</summary>
    public required int QueryHeadCount { get; init; }

    /// <summary>Number of KV heads.</summary>
    public required int KvHeadCount { get; init; }

    /// <summary>Channels of one head.</summary>
    public required int HeadDim { get; init; }

    /// <summary>Channels of a head that RoPE rotates; even, at most <see cref="HeadDim"/>.</summary>
    public required int RopeDim { get; init; }

    /// <summary>RoPE base frequency (theta).</summary>
    public required float RopeBase { get; init; }

    /// <summary>Factor by which positions are stretched (linear RoPE scaling); 1 for none.</summary>
    public float RopeLinearFactor { get; init; } = 1;

    /// <summary>Epsilon of RMSNorm.</summary>
    public required float RmsEpsilon { get; init; }

    /// <summary>Number of token ids.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Longest sequence, in tokens.</summary>
    public required int ContextLength { get; init; }

    /// <summary>True when the output head is the embedding matrix.</summary>
    public required bool TiedHead { get; init; }

    /// <summary>How the model decides what its KV cache may drop; null for a model that is not retrofitted.</summary>
    public KvMethod? KvMethod { get; init; }

    /// <summary>Query heads per KV head (the group of grouped-query attention).</summary>
    public int GroupSize => QueryHeadCount / KvHeadCount;

    /// <summary>What the KV cache must know of the model.</summary>
    public KvShape ToKvShape() => new(LayerCount, KvHeadCount, GroupSize, HeadDim);
}
