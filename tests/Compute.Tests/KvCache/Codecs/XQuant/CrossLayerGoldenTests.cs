using System.Text.Json.Nodes;
using Concertina.Compute.Calibration.XQuant;
using Concertina.Compute.KvCache.Codecs.XQuant.CrossLayer;
using Concertina.Compute.Tests.KvCache.Codecs.CommVq;
using Concertina.Compute.Tests.KvCache.Codecs.RowQuant;

namespace Concertina.Compute.Tests.KvCache.Codecs.XQuant;

/// <summary>XQuant-CL against vectors of an independent reference: without latents bit by bit, with latents over a base of full width.</summary>
public sealed class CrossLayerGoldenTests
{
    [Theory]
    [InlineData(3)]
    [InlineData(2)]
    public void The_loop_without_latents_is_the_reference_s_bit_by_bit(int bits)
    {
        RowGolden golden = new("xquant", $"cl_mha_b{bits}.json");
        ReadOnlyMemory<float>[] inputs = Inputs(new RowGolden("xquant", "cl_mha_b3.json"));
        CrossLayerPlan plan = new(6, 32, 0, bits);
        CrossLayerColumn column = new(plan, bases: null);
        byte[] bytes = new byte[plan.Bytes(16)];

        Assert.True(column.Encode(inputs, bytes));

        float[] accumulator = new float[16 * 32];
        foreach ((JsonNode? expected, int layer) in golden.Expected["layers"]!.AsArray().Select((node, layer) => (node, layer)))
        {
            ReadOnlySpan<byte> part = bytes.AsSpan(plan.Offset(layer, 16), plan.Rows(layer).Bytes(16));
            AssertPart(expected!, plan.Rows(layer), part);
            column.Advance(layer, part, accumulator);
            Assert.Equal(RowGolden.Patterns(expected!["a_bits"]!), accumulator);
        }
    }

    [Theory]
    [InlineData(3)]
    [InlineData(2)]
    public void The_loop_over_latents_with_a_base_of_full_width_is_the_reference_s(int bits)
    {
        RowGolden golden = new("xquant", $"cl_gqa_x_base_b{bits}.json");
        ReadOnlyMemory<float>[] inputs = Inputs(new RowGolden("xquant", "cl_gqa_x_base_b3.json"));
        CrossLayerPlan plan = new(6, 64, 32, bits);
        (float[][] weights, ReadOnlyMemory<float>[] bases) = GoldenBases();
        var loop = new CrossLayerLoop(plan, new CrossLayerBases(plan, bases));
        float[] accumulator = new float[16 * 64];
        foreach ((JsonNode? expected, int layer) in golden.Expected["layers"]!.AsArray().Select((node, layer) => (node, layer)))
        {
            TokenRows form = plan.Rows(layer);
            float[] given = RowGolden.Floats(expected!["source"]!);
            float[] source = new float[16 * form.Width];
            loop.Source(layer, inputs[layer].Span, accumulator, source);
            Golden.AssertNear(given, source, 2e-5);

            // Codes are exact for the given source; a product in another order may cross a rounding border.
            byte[] part = new byte[form.Bytes(16)];
            Assert.True(form.Encode(given, part));
            AssertPart(expected, form, part);
            form.Decode(part, source);
            loop.Advance(layer, source, accumulator);
            if (expected["a"] is { } after)
            {
                Golden.AssertNear(RowGolden.Floats(after), accumulator, 2e-5);
            }
            Golden.AssertNear(RowGolden.Floats(expected["kv"]!), CrossLayerTests.Product(accumulator, weights[layer], 64), 2e-5);
        }
    }

    [Fact]
    public void Bases_of_the_reference_are_the_left_bases_of_both_projections()
    {
        (float[][] weights, ReadOnlyMemory<float>[] bases) = GoldenBases();
        for (int layer = 0; layer < 6; layer++)
        {
            var svd = ThinSvd.Of([.. weights[layer].Select(weight => (double)weight)], 32);
            Golden.AssertNear(bases[layer].ToArray(), CrossLayerTests.LeftBasis(svd), 5e-5);
        }
    }

    private static ReadOnlyMemory<float>[] Inputs(RowGolden golden) =>
        [.. golden.Inputs["x"]!.AsArray().Select(node => (ReadOnlyMemory<float>)RowGolden.Floats(node!))];

    private static (float[][] Weights, ReadOnlyMemory<float>[] Bases) GoldenBases()
    {
        RowGolden[] files = [new("xquant", "cl_gqa_weights_0_2.json"), new("xquant", "cl_gqa_weights_3_5.json")];
        return (
            [.. files.SelectMany(file => file.Inputs["wkv"]!.AsArray().Select(node => RowGolden.Floats(node!)))],
            [.. files.SelectMany(file => file.Expected["ukv"]!.AsArray().Select(node => (ReadOnlyMemory<float>)RowGolden.Floats(node!)))]);
    }

    private static void AssertPart(JsonNode expected, TokenRows form, ReadOnlySpan<byte> part)
    {
        byte[] codes = RowGolden.Bytes(expected["codes"]!);
        Assert.Equal(codes, part[..codes.Length].ToArray());
        uint[] scales = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, uint>(part[codes.Length..]).ToArray();
        Assert.Equal(RowGolden.Integers(expected["s_bits"]!), scales.Select(word => (int)(word & 0xFFFF)));
        Assert.Equal(RowGolden.Integers(expected["mn_bits"]!), scales.Select(word => (int)(word >> 16)));
        Assert.Equal(part.Length, form.Bytes(16));
    }
}
