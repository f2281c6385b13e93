using Concertina.Compute.Model;

namespace Concertina.Engine.Tests.Kit;

/// <summary>A small shape for random weights: two layers, grouped heads, room for a thousand tokens.</summary>
internal static class TinyModel
{
    public static ModelConfig Shape { get; } = new()
    {
        Architecture = "llama",
        Name = "tiny",
        LayerCount = 2,
        EmbeddingLength = 128,
        FeedForwardLength = 160,
        QueryHeadCount = 8,
        KvHeadCount = 2,
        HeadDim = 16,
        RopeDim = 16,
        RopeBase = 10_000,
        RmsEpsilon = 1e-5f,
        VocabularySize = 77,
        ContextLength = 1024,
        TiedHead = true,
    };
}
