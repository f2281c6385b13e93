using System.Collections.Concurrent;
using Concertina.Compute.Calibration.XQuant;
using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Codecs;
using Concertina.Compute.KvCache.Codecs.XQuant;
using Concertina.Compute.Tests.KvCache.Codecs.CommVq;

namespace Concertina.Compute.Tests.KvCache.Codecs.XQuant;

/// <summary>XQuant codecs over random projections; one setup per shape.</summary>
internal static class TestXQuant
{
    private static readonly ConcurrentDictionary<(KvShape Shape, bool Bias), XQuantSetup> Setups = new();
    private static readonly ConcurrentDictionary<(KvShape Shape, bool Bias), IReadOnlyList<IKvCodec>> Codecs = new();

    public static readonly string[] Names = ["xq8", "xq4", "xq3", "xq2", "xq4 bias"];

    public static IKvCodec? Find(string name, int headDim) => Names.Contains(name)
        ? Get(name.Split(' ')[0], new KvShape(1, 1, 1, headDim), name.EndsWith("bias", StringComparison.Ordinal))
        : null;

    public static IKvCodec Get(string name, KvShape shape, bool bias = false) =>
        Codecs.GetOrAdd((shape, bias), key => XQuantCodecs.Make(Setup(key.Shape, key.Bias))).Single(codec => codec.Name == name);

    public static XQuantSetup Setup(KvShape shape, bool bias = false) => Setups.GetOrAdd((shape, bias), key => new XQuantSetup
    {
        Shape = key.Shape,
        Layers = [.. Enumerable.Range(0, key.Shape.LayerCount).Select(layer => new LayerLatents(
            Map(key.Shape, (2 * layer) + 1, key.Bias), Map(key.Shape, (2 * layer) + 2, key.Bias)))],
        Frequencies = TestCommVq.Frequencies(key.Shape.HeadDim),
        PositionCount = 4096,
    });

    /// <summary>W [2 channels, channels], row-major: as a rule of thumb W^T W is near the identity.</summary>
    public static double[] Weights(int channels, int seed)
    {
        var random = new Random(seed);
        double scale = Math.Sqrt(6.0 / channels);
        return [.. Enumerable.Range(0, 2 * channels * channels).Select(_ => (random.NextDouble() - 0.5) * scale)];
    }

    /// <summary>Rows without structure, [rows, width], uniform in -1 to 1.</summary>
    public static float[] Uniform(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (2f * random.NextSingle()) - 1f)];
    }

    private static LatentMap Map(KvShape shape, int seed, bool bias)
    {
        int channels = shape.KvHeadCount * shape.HeadDim;
        return LatentPreparation.Map(Weights(channels, seed), channels, "test", bias ? Uniform(channels, seed + 100) : default);
    }
}
