using System.Collections.Concurrent;
using Concertina.Compute.Calibration.CommVq;
using Concertina.Compute.KvCache.Codecs;
using Concertina.Compute.KvCache.Codecs.CommVq;
using Concertina.Compute.KvCache.Codecs.CommVq.Books;

namespace Concertina.Compute.Tests.KvCache.Codecs.CommVq;

/// <summary>CommVQ codecs with small books of two heads, trained in passing; one per name and head dimension.</summary>
internal static class TestCommVq
{
    private static readonly CommVqShape Narrow = new(16, 6, 16, 8);
    private static readonly CommVqShape Wide = new(64, 4, 256, 4);
    private static readonly ConcurrentDictionary<(CommVqShape Shape, int HeadDim), CommVqBooks> Books = new();
    private static readonly ConcurrentDictionary<(string Name, int HeadDim), IKvCodec> Codecs = new();

    /// <summary>All forms: both codecs, both forms of values, both sizes of codes.</summary>
    public static readonly string[] Names =
        ["commvq2", "commvq1", "commvq2 histogram", "commvq1 histogram", "commvq2 wide", "commvq1 wide histogram", "commvq2 six bits"];

    public static IKvCodec? Find(string name, int headDim) =>
        Names.Contains(name) ? Codecs.GetOrAdd((name, headDim), key => Make(key.Name, key.HeadDim)) : null;

    /// <summary>Books of two heads for values and keys without structure.</summary>
    public static CommVqBooks Trained(CommVqShape shape, int headDim) => Books.GetOrAdd((shape, headDim), key =>
    {
        var plan = new CommVqTraining { Shape = key.Shape, HardIterations = 2, SoftIterations = 0 };
        HeadSample[] samples = [.. Enumerable.Range(1, 2).Select(seed =>
            new HeadSample(KeySearch.Synthetic(400, key.HeadDim, seed), KeySearch.Synthetic(400, key.HeadDim, seed + 10)))];
        return new CommVqTrainer(plan, key.HeadDim).Train(samples, CancellationToken.None);
    });

    /// <summary>Frequencies of a model that rotates half of its channels.</summary>
    public static double[] Frequencies(int headDim) =>
        [.. Enumerable.Range(0, headDim / 4).Select(pair => Math.Pow(10_000, -4.0 * pair / headDim))];

    public static CommVqSetup Setup(CommVqShape shape, int headDim, bool histogram = false, int positions = 2048) => new()
    {
        Books = Trained(shape, headDim),
        Frequencies = Frequencies(headDim),
        PositionCount = positions,
        HistogramValues = histogram,
    };

    private static CommVqCodec Make(string name, int headDim)
    {
        CommVqShape shape = name.Contains("wide") ? Wide : name.Contains("six") ? Narrow with { ValueLevels = 64 } : Narrow;
        (CommVqCodec two, CommVqCodec one) = CommVqCodec.Make(Setup(shape, headDim, name.Contains("histogram")));
        return name.StartsWith("commvq2", StringComparison.Ordinal) ? two : one;
    }
}
