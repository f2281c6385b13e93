using Concertina.Compute.Model;

namespace Concertina.Compute.Tests.Model;

/// <summary>Shapes small enough for scalar kernels.</summary>
internal static class TinyShapes
{
    private static readonly ModelConfig Grouped = new()
    {
        Architecture = "llama",
        Name = "group 4",
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

    /// <summary>What the names of retrofitted shapes end in.</summary>
    public const string Retrofit = ", dms";

    /// <summary>A shape with decision neurons, in the middle of a head so that no tile begins with one.</summary>
    public static ModelConfig Retrofitted(ModelConfig config) => config with
    {
        KvMethod = new()
        {
            Name = KvMethod.Dms,
            Neuron = (config.HeadDim / 2) + 1,
            Offset = 0.25f,
            Scale = 3,
            Window = 16,
            Shift = 1,
            TargetRatio = 2,
            MeasuredRatios = [.. Enumerable.Repeat(2f, config.LayerCount * config.KvHeadCount)],
            BaseHash = new('0', 64),
        },
    };

    public static ModelConfig Find(string name) => name switch
    {
        "1 head" => Grouped with { Name = name, QueryHeadCount = 1, KvHeadCount = 1, HeadDim = 64, RopeDim = 64, EmbeddingLength = 64 },
        "group 3" => Grouped with { Name = name, QueryHeadCount = 6, KvHeadCount = 2, HeadDim = 32, RopeDim = 32, EmbeddingLength = 192 },
        "group 4" => Grouped,
        "odd widths" => Grouped with
        {
            Name = name,
            QueryHeadCount = 6,
            KvHeadCount = 3,
            HeadDim = 48,
            RopeDim = 20,
            EmbeddingLength = 96,
            FeedForwardLength = 224,
            TiedHead = false,
            LayerCount = 1,
            RopeLinearFactor = 2,
        },
        _ when name.EndsWith(Retrofit, StringComparison.Ordinal) => Retrofitted(Find(name[..^Retrofit.Length])) with { Name = name },
        _ => throw new ArgumentException($"No tiny shape '{name}'.", nameof(name)),
    };
}
