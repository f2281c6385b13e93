namespace Concertina.Compute.Model;

/// <summary>Shapes of well-known small models, for measurements without a model file.</summary>
public static class ModelShapes
{
    private static readonly ModelConfig[] Known =
    [
        new()
        {
            Architecture = "llama", Name = "135m", LayerCount = 30, EmbeddingLength = 576, FeedForwardLength = 1536,
            QueryHeadCount = 9, KvHeadCount = 3, HeadDim = 64, RopeDim = 64, RopeBase = 100_000, RmsEpsilon = 1e-5f,
            VocabularySize = 49_152, ContextLength = 32_768, TiedHead = true,
        },
        new()
        {
            Architecture = "llama", Name = "1b", LayerCount = 16, EmbeddingLength = 2048, FeedForwardLength = 8192,
            QueryHeadCount = 32, KvHeadCount = 8, HeadDim = 64, RopeDim = 64, RopeBase = 500_000, RmsEpsilon = 1e-5f,
            VocabularySize = 128_256, ContextLength = 131_072, TiedHead = true,
        },
    ];

    /// <summary>Names of the shapes.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Known.Select(shape => shape.Name)];

    /// <summary>Finds a shape.</summary>
    /// <exception cref="ArgumentException">The shape is not known; the message lists those that are.</exception>
    public static ModelConfig Find(string name) => Known.FirstOrDefault(shape => shape.Name == name)
        ?? throw new ArgumentException($"There is no model shape '{name}'; known are {string.Join(", ", Names)}.", nameof(name));
}
