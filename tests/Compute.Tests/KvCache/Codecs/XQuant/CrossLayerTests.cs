using Concertina.Compute.Calibration.XQuant;
using Concertina.Compute.KvCache.Codecs.XQuant;
using Concertina.Compute.KvCache.Codecs.XQuant.CrossLayer;
using Concertina.Compute.Tests.KvCache.Codecs.RowQuant;

namespace Concertina.Compute.Tests.KvCache.Codecs.XQuant;

/// <summary>The laws of XQuant-CL's closed loop, and of recovering inputs.</summary>
public sealed class CrossLayerTests
{
    [Theory]
    [InlineData(4)]
    [InlineData(3)]
    [InlineData(2)]
    public void Errors_stay_within_half_a_step_at_every_layer(int bits)
    {
        CrossLayerPlan plan = new(24, 64, 0, bits);
        ReadOnlyMemory<float>[] inputs = Walk(plan, tokens: 8, step: 0.2f);
        CrossLayerColumn column = new(plan, bases: null);
        byte[] bytes = new byte[plan.Bytes(8)];
        Assert.True(column.Encode(inputs, bytes));
        float[] accumulator = new float[8 * 64];
        for (int layer = 0; layer < plan.LayerCount; layer++)
        {
            ReadOnlySpan<byte> part = Part(plan, layer, bytes);
            column.Advance(layer, part, accumulator);
            if (layer < CrossLayerPlan.BaseLayer)
            {
                continue;
            }
            float[] steps = Scales(plan.Rows(layer), part, 8);
            for (int i = 0; i < accumulator.Length; i++)
            {
                // A is rounded once, and X - A once.
                double slack = 2 * MathF.BitIncrement(MathF.Abs(accumulator[i])) * Math.Pow(2, -23);
                Assert.InRange(Math.Abs((double)inputs[layer].Span[i] - accumulator[i]), 0, (steps[i / 64] / 2) + slack);
            }
        }
    }

    [Fact]
    public void Over_latents_the_loop_loses_nothing_that_the_layer_sees_and_the_open_loop_does()
    {
        CrossLayerPlan plan = new(24, 512, 128, 3);
        (double[][] weights, CrossLayerBases bases) = Bases(plan);
        ReadOnlyMemory<float>[] inputs = Walk(plan, tokens: 4, step: 0.2f);
        var loop = new CrossLayerLoop(plan, bases);
        float[] closed = new float[4 * 512];
        float[] open = new float[4 * 512];
        double closedError = 0;
        double openError = 0;
        for (int layer = 0; layer < plan.LayerCount; layer++)
        {
            float[] source = new float[4 * plan.Rows(layer).Width];
            loop.Source(layer, inputs[layer].Span, closed, source);
            loop.Advance(layer, source, closed);
            // Wrong on purpose: the difference to the true input of the layer below.
            loop.Source(layer, inputs[layer].Span, inputs[Math.Max(0, layer - 1)].Span, source);
            loop.Advance(layer, source, open);
            float[] exact = Product(inputs[layer].ToArray(), [.. weights[layer].Select(weight => (float)weight)], 512);
            float[] kv = [.. weights[layer].Select(weight => (float)weight)];
            closedError = Math.Max(closedError, Relative(exact, Product(closed, kv, 512)));
            openError = Math.Max(openError, Relative(exact, Product(open, kv, 512)));
        }

        Assert.InRange(closedError, 0, 1e-5);
        Assert.InRange(openError, 0.05, 10);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(3)]
    [InlineData(2)]
    public void Over_latents_the_error_of_a_latent_stays_within_half_a_step_and_depth_adds_nothing(int bits)
    {
        CrossLayerPlan plan = new(24, 512, 128, bits);
        (_, CrossLayerBases bases) = Bases(plan);
        ReadOnlyMemory<float>[] inputs = Walk(plan, tokens: 4, step: 0.2f);
        CrossLayerColumn column = new(plan, bases);
        byte[] bytes = new byte[plan.Bytes(4)];
        Assert.True(column.Encode(inputs, bytes));
        var loop = new CrossLayerLoop(plan, bases);
        float[] accumulator = new float[4 * 512];
        for (int layer = 0; layer < plan.LayerCount; layer++)
        {
            ReadOnlySpan<byte> part = Part(plan, layer, bytes);
            column.Advance(layer, part, accumulator);
            if (layer <= CrossLayerPlan.BaseLayer)
            {
                continue;
            }
            float[] left = new float[4 * 128];
            loop.Source(layer, inputs[layer].Span, accumulator, left);
            float[] steps = Scales(plan.Rows(layer), part, 4);
            for (int i = 0; i < left.Length; i++)
            {
                Assert.InRange(Math.Abs(left[i]), 0, (steps[i / 128] / 2) + 2e-5);
            }
        }
    }

    [Theory]
    [InlineData(32, 4096, 2048, 3, 28480)]
    [InlineData(32, 4096, 2048, 2, 21056)]
    [InlineData(32, 4096, 0, 3, 54784)]
    [InlineData(32, 4096, 0, 2, 39936)]
    public void A_column_costs_what_the_formula_says(int layers, int hidden, int latents, int bits, int bytesPerToken) =>
        Assert.Equal(64 * bytesPerToken, new CrossLayerPlan(layers, hidden, latents, bits).Bytes(64));

    [Fact]
    public void Rows_of_any_length_come_back_as_they_were_packed()
    {
        foreach (int bits in new[] { 2, 3, 4, 8 })
        {
            for (int width = 1; width < 40; width++)
            {
                byte[] codes = new byte[width];
                new Random(width).NextBytes(codes);
                codes = [.. codes.Select(code => (byte)(code & ((1 << bits) - 1)))];
                byte[] row = new byte[PackedRows.RowBytes(width, bits)];
                Array.Fill(row, (byte)0xFF);
                byte[] back = new byte[width];

                PackedRows.Pack(codes, bits, row);
                PackedRows.Unpack(row, bits, back);

                Assert.Equal(codes, back);
                Assert.Equal(codes.Select(code => (int)code), RowGolden.Unpack(row, width, bits));
            }
        }
    }

    [Fact]
    public void Inputs_come_back_from_keys_and_values_where_the_projections_keep_them()
    {
        double[] keys = TestXQuant.Weights(32, 1);
        double[] values = TestXQuant.Weights(32, 2);
        var recovery = InputRecovery.Of(keys, values, 32);
        float[] input = TestXQuant.Uniform(64, 3);
        float[] outputs = Product(input, [.. ProjectionWeights.SideBySide(keys, values, 32).Select(weight => (float)weight)], 64);
        float[] back = new float[64];

        recovery.Recover(outputs, back);

        Assert.InRange(recovery.Condition, 1, InputRecovery.MostCondition);
        Assert.InRange(Relative(input, back), 0, recovery.Condition * 1e-6);
        // Wider than both projections, or with projections that see the same.
        Assert.Contains("Capture the layer inputs", Assert.Throws<ArgumentException>(() => InputRecovery.Of(keys, values, 16)).Message);
        Assert.Contains("condition", Assert.Throws<ArgumentException>(() => InputRecovery.Of(keys, keys, 32)).Message);
        double[] nearly = [.. keys.Zip(values, (key, value) => key + (1e-3 * value))];
        Assert.Contains("condition", Assert.Throws<ArgumentException>(() => InputRecovery.Of(keys, nearly, 32)).Message);
    }

    [Fact]
    public void Plans_bases_and_inputs_that_do_not_fit_are_refused()
    {
        CrossLayerPlan plan = new(4, 64, 32, 3);
        Assert.Throws<ArgumentException>(() => new CrossLayerColumn(plan, bases: null));
        Assert.Throws<ArgumentException>(() => (plan with { Latents = 64 }).Validate());
        Assert.Throws<ArgumentException>(() => (plan with { LayerCount = 2 }).Validate());
        ReadOnlyMemory<float>[] flat = [.. Enumerable.Repeat<ReadOnlyMemory<float>>(new float[64 * 32], 4)];
        Assert.Contains("orthonormal", Assert.Throws<ArgumentException>(() => new CrossLayerBases(plan, flat)).Message);
        CrossLayerColumn column = new(plan with { Latents = 0 }, bases: null);
        Assert.Throws<ArgumentException>(() => column.Encode(flat[..2], new byte[9000]));
    }

    private static ReadOnlySpan<byte> Part(CrossLayerPlan plan, int layer, byte[] column)
    {
        int tokens = plan.HasLatents ? 4 : 8;
        return column.AsSpan(plan.Offset(layer, tokens), plan.Rows(layer).Bytes(tokens));
    }

    // One group a token.
    private static float[] Scales(TokenRows form, ReadOnlySpan<byte> part, int tokens) =>
        [.. System.Runtime.InteropServices.MemoryMarshal.Cast<byte, uint>(part[(tokens * PackedRows.RowBytes(form.Width, form.Bits))..])
            .ToArray().Select(word => LatentScale.Of(word).Scale)];

    // A slow random walk over the layers.
    private static ReadOnlyMemory<float>[] Walk(CrossLayerPlan plan, int tokens, float step)
    {
        float[] x = TestXQuant.Uniform(tokens * plan.Hidden, 1);
        List<ReadOnlyMemory<float>> inputs = [x];
        while (inputs.Count < plan.LayerCount)
        {
            x = [.. x.Zip(TestXQuant.Uniform(x.Length, inputs.Count + 1), (before, change) => before + (step * change))];
            inputs.Add(x);
        }
        return [.. inputs];
    }

    private static (double[][] Weights, CrossLayerBases Bases) Bases(CrossLayerPlan plan)
    {
        // A few different layers, over and over: decompositions take time.
        double[][] different = [.. Enumerable.Range(0, 4).Select(seed =>
        {
            var random = new Random(seed);
            return Enumerable.Range(0, plan.Hidden * plan.Latents).Select(_ => random.NextDouble() - 0.5).ToArray();
        })];
        ReadOnlyMemory<float>[] bases = [.. different.Select(weights => (ReadOnlyMemory<float>)LeftBasis(ThinSvd.Of(weights, plan.Latents)))];
        return (
            [.. Enumerable.Range(0, plan.LayerCount).Select(layer => different[layer % 4])],
            new CrossLayerBases(plan, [.. Enumerable.Range(0, plan.LayerCount).Select(layer => bases[layer % 4])]));
    }

    internal static float[] LeftBasis(ThinSvd svd) =>
        [.. Enumerable.Range(0, svd.Left[0].Length).SelectMany(row => svd.Left.Select(column => (float)column[row]))];

    internal static float[] Product(float[] left, float[] right, int inner)
    {
        int columns = right.Length / inner;
        double[] product = new double[left.Length / inner * columns];
        for (int row = 0; row < left.Length / inner; row++)
        {
            for (int k = 0; k < inner; k++)
            {
                double factor = left[(row * inner) + k];
                for (int column = 0; column < columns; column++)
                {
                    product[(row * columns) + column] += factor * right[(k * columns) + column];
                }
            }
        }
        return [.. product.Select(value => (float)value)];
    }

    private static double Relative(float[] exact, float[] actual) => Math.Sqrt(
        exact.Zip(actual, (a, b) => Math.Pow((double)a - b, 2)).Sum() / exact.Sum(a => (double)a * a));
}
