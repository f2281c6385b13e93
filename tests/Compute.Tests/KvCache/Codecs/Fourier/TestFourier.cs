using System.Collections.Concurrent;
using Concertina.Compute.KvCache.Codecs;
using Concertina.Compute.KvCache.Codecs.Fourier;

namespace Concertina.Compute.Tests.KvCache.Codecs.Fourier;

/// <summary>Fourier codecs over small channel lists, and seeded signals.</summary>
internal static class TestFourier
{
    private static readonly ConcurrentDictionary<int, IReadOnlyList<IKvCodec>> OnePage = new();

    public static readonly string[] Names = ["fourier16", "fourier8", "fourier4"];

    /// <summary>Segments of one page: half of the channels compressed, all of 16.</summary>
    public static IKvCodec? Find(string name, int headDim) =>
        OnePage.GetOrAdd(headDim, dim => FourierCodecs.Make(Setup(1, dim, (Half(dim), 16), (Half(dim), 32)))).SingleOrDefault(codec => codec.Name == name);

    public static IKvCodec Get(string name, FourierSetup setup) => FourierCodecs.Make(setup).Single(codec => codec.Name == name);

    /// <summary>A setup whose heads have different lists of the same length.</summary>
    public static FourierSetup Setup(int pages, int headDim, (int Compressed, int Orders) keys, (int Compressed, int Orders) values, int heads = 2) => new(
        pages,
        new FourierChannels(headDim, keys.Orders, [.. Enumerable.Range(0, heads).Select(head => List(headDim, keys.Compressed, head))]),
        new FourierChannels(headDim, values.Orders, [.. Enumerable.Range(0, heads).Select(head => List(headDim, values.Compressed, head + 100))]));

    /// <summary>Rows that drift over time, with an offset of their own and noise: [tokens, headDim].</summary>
    public static float[] Signal(int tokens, int headDim, int seed)
    {
        var random = new Random(seed);
        float[] rows = new float[tokens * headDim];
        for (int channel = 0; channel < headDim; channel++)
        {
            double state = 0;
            double offset = random.NextDouble() - 0.5;
            for (int token = 0; token < tokens; token++)
            {
                state = (0.95 * state) + (0.3 * (random.NextDouble() - 0.5));
                rows[(token * headDim) + channel] = (float)(offset + state);
            }
        }
        return rows;
    }

    private static int Half(int headDim) => headDim == 16 ? 16 : headDim / 32 * 16;

    private static int[] List(int headDim, int count, int seed)
    {
        int[] channels = [.. Enumerable.Range(0, headDim)];
        new Random(seed).Shuffle(channels);
        return [.. channels.Take(count).Order()];
    }
}
