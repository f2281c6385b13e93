using System.Text.Json.Nodes;
using Concertina.Compute.KvCache.Codecs.CommVq.Books;
using Concertina.Compute.KvCache.Codecs.CommVq.Encoding;

namespace Concertina.Compute.Tests.KvCache.Codecs.CommVq;

/// <summary>Values of the reference: nearest codewords one stage at a time, and the histogram.</summary>
public sealed class CommVqValueGoldenTests
{
    [Theory]
    [InlineData("values_small", 16, 4)]
    [InlineData("values_256", 256, 8)]
    public void Codes_sums_and_histograms_are_those_of_the_reference(string name, int levels, int stages)
    {
        Golden golden = new(name);
        float[] mean = Golden.Floats(golden.Inputs["mu"]!);
        float[] values = Golden.Floats(golden.Inputs["v"]!);
        float[] scores = Golden.Floats(new Golden("scores").Expected["r8"]!);
        var book = new ValueBook(new BookLayout(levels, stages, 64), Formula(levels, stages), mean);

        (int[] codes, double[] norms) = Encode(book, values);

        Assert.Equal(Golden.Integers(golden.Expected["codes"]!), codes);
        Golden.AssertNear(Golden.Floats(golden.Expected["nu"]!), [.. norms.Select(norm => (float)norm)], 1e-6);
        double[] stored = [.. Golden.Integers(golden.Expected["scale_f16_bits"]!).Select(bits => (double)BitConverter.UInt16BitsToHalf((ushort)bits))];
        float[] decoded = Decode(book, codes, stored);
        Golden.AssertNear(Golden.Floats(golden.Expected["v_hat_first8"]!), decoded[..(8 * 64)], 1e-6);
        float[] first = Golden.Floats(golden.Expected["histogram_query0_stage0"] ?? golden.Expected["histogram"]!)[..levels];
        double maximum = scores[..128].Max();
        double[] weights = [.. scores[..128].Select(score => Math.Exp(score - maximum))];
        double[] sums = new double[stages * levels];
        for (int token = 0; token < 128; token++)
        {
            for (int stage = 0; stage < stages; stage++)
            {
                sums[(stage * levels) + codes[(stage * 128) + token]] += weights[token] * stored[token];
            }
        }
        Golden.AssertNear(first, [.. sums.Take(levels).Select(sum => (float)sum)], 1e-5);
        JsonNode part = golden.Expected["parts"]![0]!;
        float[] y = Golden.Floats(part["y"]!);
        float[] byHistogram = new float[64];
        float[] byToken = new float[64];
        for (int channel = 0; channel < 64; channel++)
        {
            double sum = mean[channel] * weights.Sum();
            for (int entry = 0; entry < sums.Length; entry++)
            {
                sum += sums[entry] * book.Rows.Span[(entry * 64) + channel];
            }
            byHistogram[channel] = (float)sum;
            byToken[channel] = (float)Enumerable.Range(0, 128).Sum(token => weights[token] * decoded[(token * 64) + channel]);
        }
        Golden.AssertNear(y, byHistogram, 1e-5);
        Golden.AssertNear(y, byToken, 1e-5);
    }

    private static (int[] Codes, double[] Norms) Encode(ValueBook book, float[] values)
    {
        int count = values.Length / 64;
        var encoder = new BeamEncoder(count, 64, 1, book.Layout.Stages);
        encoder.Begin(count);
        double[] norms = [.. Enumerable.Range(0, count).Select(row => UnitVector.Make(values.AsSpan(row * 64, 64), book.Mean.Span, encoder.Row(row)))];
        var stage = new PairStage(1, book.Layout.Levels, 64);
        for (int i = 0; i < book.Layout.Stages; i++)
        {
            stage.Load(new float[64], book.Stage(i));
            encoder.Step(stage);
        }
        int[] codes = new int[book.Layout.Stages * count];
        encoder.Finish(codes, default);
        return (codes, norms);
    }

    private static float[] Decode(ValueBook book, int[] codes, double[] norms)
    {
        float[] rows = new float[norms.Length * 64];
        for (int at = 0; at < rows.Length; at++)
        {
            int row = at / 64;
            double sum = Enumerable.Range(0, book.Layout.Stages).Sum(stage =>
                (double)book.Stage(stage)[(codes[(stage * norms.Length) + row] * 64) + (at % 64)]);
            rows[at] = (float)(book.Mean.Span[at % 64] + (norms[row] * sum));
        }
        return rows;
    }

    // The codebook by formula: murmur3's finaliser of an index.
    private static float[] Formula(int levels, int stages) => [.. Enumerable.Range(0, stages * levels * 64).Select(at =>
        ((Hash((uint)(1000 + at)) >> 21) - 1024f) / 1024f * MathF.Pow(2, -(at / (levels * 64))) / 8)];

    private static uint Hash(uint x)
    {
        x ^= x >> 16;
        x *= 0x85EB_CA6B;
        x ^= x >> 13;
        x *= 0xC2B2_AE35;
        return x ^ (x >> 16);
    }
}
