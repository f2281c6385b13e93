using Concertina.Compute.KvCache.Codecs.CommVq.Books;
using Concertina.Compute.KvCache.Codecs.CommVq.Encoding;

namespace Concertina.Compute.Tests.KvCache.Codecs.CommVq;

/// <summary>Codes of rows, as the codec finds them, and sums of codewords in the plainest way.</summary>
internal static class KeySearch
{
    /// <summary>Codes a * levels + b, [stages, rows].</summary>
    public static (int[] Codes, double[] Norms, float[] Squared) Encode(KeyBook book, float[] keys, int beam)
    {
        int headDim = book.Layout.HeadDim;
        int count = keys.Length / headDim;
        int width = PairLayout.Width(headDim);
        var encoder = new BeamEncoder(count, width, beam, book.Layout.Stages);
        encoder.Begin(count);
        double[] norms = new double[count];
        float[] unit = new float[headDim];
        for (int row = 0; row < count; row++)
        {
            norms[row] = UnitVector.Make(keys.AsSpan(row * headDim, headDim), book.Mean.Span, unit);
            PairLayout.Split(unit, encoder.Row(row));
        }
        for (int stage = 0; stage < book.Layout.Stages; stage++)
        {
            encoder.Step(Stage(book, stage));
        }
        int[] codes = new int[book.Layout.Stages * count];
        float[] squared = new float[count];
        encoder.Finish(codes, squared);
        return (codes, norms, squared);
    }

    public static PairStage Stage(KeyBook book, int stage)
    {
        int width = PairLayout.Width(book.Layout.HeadDim);
        float[] first = new float[book.Layout.Levels * width];
        float[] second = new float[first.Length];
        book.First(stage, first);
        book.Second(stage, second);
        var pairs = new PairStage(book.Layout.Levels, book.Layout.Levels, width);
        pairs.Load(first, second);
        return pairs;
    }

    /// <summary>Keys before RoPE in binary64 from codes [stages, rows] and norms, interleaved.</summary>
    public static float[] Decode(KeyBook book, int[] codes, IReadOnlyList<double> norms)
    {
        BookLayout layout = book.Layout;
        int half = layout.HeadDim / 2;
        float[] rows = new float[norms.Count * layout.HeadDim];
        ReadOnlySpan<float> z = book.Rows.Span;
        ReadOnlySpan<float> y = book.SecondRows.Span;
        for (int row = 0; row < norms.Count; row++)
        {
            for (int pair = 0; pair < half; pair++)
            {
                double real = 0, imaginary = 0;
                for (int stage = 0; stage < layout.Stages; stage++)
                {
                    int code = codes[(stage * norms.Count) + row];
                    int a = (stage * layout.StageLength) + (code / layout.Levels * layout.HeadDim) + pair;
                    int b = (stage * layout.StageLength) + (code % layout.Levels * layout.HeadDim) + pair;
                    real += z[a] - y[b + half];
                    imaginary += z[a + half] + y[b];
                }
                int at = (row * layout.HeadDim) + (2 * pair);
                rows[at] = (float)(book.Mean.Span[2 * pair] + (norms[row] * real));
                rows[at + 1] = (float)(book.Mean.Span[(2 * pair) + 1] + (norms[row] * imaginary));
            }
        }
        return rows;
    }

    /// <summary>Keys with structure: few directions, channel scales, a mean.</summary>
    public static float[] Synthetic(int count, int headDim, int seed)
    {
        const int Rank = 10;
        var random = new Random(seed);
        double[] basis = [.. Enumerable.Range(0, Rank * headDim).Select(_ => Normal(random))];
        double[] gain = [.. Enumerable.Range(0, headDim).Select(_ => Math.Pow(2, (random.NextDouble() * 2) - 1))];
        double[] mean = [.. Enumerable.Range(0, headDim).Select(_ => Normal(random) * 0.5)];
        float[] rows = new float[count * headDim];
        double[] mix = new double[Rank];
        for (int row = 0; row < count; row++)
        {
            for (int i = 0; i < Rank; i++)
            {
                mix[i] = Normal(random) / Math.Sqrt(Rank);
            }
            for (int channel = 0; channel < headDim; channel++)
            {
                double sum = 0.25 * Normal(random);
                for (int i = 0; i < Rank; i++)
                {
                    sum += mix[i] * basis[(i * headDim) + channel];
                }
                rows[(row * headDim) + channel] = (float)((sum * gain[channel]) + mean[channel]);
            }
        }
        return rows;
    }

    private static double Normal(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
