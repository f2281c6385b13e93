using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Concertina.Compute.Kernels;
using Concertina.Compute.KvCache.Codecs.RowQuant;

namespace Concertina.Compute.Tests.KvCache.Codecs.RowQuant;

/// <summary>The quantizer of a group, bit by bit that of the reference.</summary>
public sealed class RowQuantizerTests
{
    private static readonly JsonSerializerOptions NamedNumbers = new() { NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };

    public static TheoryData<string> RowFiles => [.. RowGolden.Files("rowquant", "rows_")];

    [Theory]
    [MemberData(nameof(RowFiles))]
    public void Codes_scales_and_minimums_are_those_of_the_reference(string file)
    {
        RowGolden golden = new("rowquant", file);
        (int bits, int size, bool byToken) = (golden.Parameter("bits"), golden.Parameter("group"), golden.Text("axis") == "token");
        JsonNode source = golden.Inputs["x"] ?? new RowGolden("rowquant", golden.Inputs["x_from"]!.GetValue<string>()).Inputs["x"]!;
        float[] x = RowGolden.Floats(source);
        (int tokens, int channels) = (source["shape"]![0]!.GetValue<int>(), source["shape"]![1]!.GetValue<int>());
        int[] packed = Unpack(RowGolden.Bytes(golden.Expected["codes"]!), tokens, bits);
        int[] scales = RowGolden.Integers(golden.Expected["s_bits"]!);
        int[] minimums = RowGolden.Integers(golden.Expected["mn_bits"]!);
        for (int group = 0; group < scales.Length; group++)
        {
            int[] at = [.. byToken ? Enumerable.Range(group * size, size) : Enumerable.Range(0, size)
                .Select(i => ((((group / channels) * size) + i) * channels) + (group % channels))];

            (byte[] codes, uint halves) = Quantise([.. at.Select(i => x[i])], bits);

            Assert.Equal(at.Select(i => packed[i]), codes.Select(code => (int)code));
            Assert.Equal((scales[group], minimums[group]), ((int)(halves & 0xFFFF), (int)(halves >> 16)));
        }
    }

    [Fact]
    public void Groups_at_the_edges_are_those_of_the_reference_decoded_too()
    {
        foreach (JsonNode? edge in new RowGolden("rowquant", "edge_rows.json").Expected["cases"]!.AsArray())
        {
            float[] x = RowGolden.Patterns(edge!["x_bits"]!);
            foreach (JsonNode? result in edge["results"]!.AsArray())
            {
                (byte[] codes, uint halves) = Quantise(x, result!["bits"]!.GetValue<int>());

                Assert.Equal(RowGolden.Integers(result["codes"]!), codes.Select(code => (int)code));
                Assert.Equal(result["s_bits"]!.GetValue<int>(), (int)(halves & 0xFFFF));
                Assert.Equal(result["mn_bits"]!.GetValue<int>(), (int)(halves >> 16));
                Assert.Equal(RowGolden.Patterns(result["decoded_bits"]!), codes.Select(code => Decode(code, halves)));
            }
        }
    }

    [Fact]
    public void What_the_reference_refuses_becomes_nan_and_is_said()
    {
        foreach (JsonNode? error in new RowGolden("rowquant", "edge_rows.json").Expected["errors"]!.AsArray())
        {
            float[] x = error!["x"]!.Deserialize<float[]>(NamedNumbers)!;

            Assert.False(RowQuantizer.TryQuantise(x, new(4, 1f), new byte[x.Length], out uint halves));

            Assert.Equal(float.NaN, Decode(0, halves));
        }
    }

    [Fact]
    public void Halves_round_down_and_up_as_the_reference_does()
    {
        RowGolden golden = new("common", "fp16_rounding.json");
        float[] x = RowGolden.Patterns(golden.Inputs["x_bits"]!);
        Assert.Equal(RowGolden.Integers(golden.Expected["down"]!), x.Select(value => (int)RowQuantizer.HalfDown(value)));
        Assert.Equal(RowGolden.Integers(golden.Expected["up"]!), x.Select(value => (int)RowQuantizer.HalfUp(value)));
    }

    [Fact]
    public void The_packing_that_these_tests_read_is_that_of_the_reference()
    {
        foreach (JsonNode? packing in new RowGolden("common", "packing.json").Expected["cases"]!.AsArray())
        {
            int bits = packing!["bits"]!.GetValue<int>();
            int[] codes = RowGolden.Integers(packing["codes"]!);
            if (bits <= 8)
            {
                Assert.Equal(codes, RowGolden.Unpack(RowGolden.Bytes(packing["packed"]!), codes.Length, bits));
            }
        }
    }

    [Theory]
    [InlineData(8)]
    [InlineData(4)]
    [InlineData(2)]
    public void An_element_is_off_by_half_a_step_at_most_and_the_scale_covers_the_range(int bits)
    {
        Random random = new(bits);
        for (int length = 1; length <= 70; length++)
        {
            float size = MathF.Pow(10, (float)(random.NextDouble() * 8) - 4);
            float[] x = [.. Enumerable.Range(0, length).Select(_ => ((float)random.NextDouble() - 0.3f) * size)];

            (byte[] codes, uint halves) = Quantise(x, bits);

            float scale = HalfConversion.ToSingle((ushort)halves);
            Assert.InRange(HalfConversion.ToSingle((ushort)(halves >> 16)), float.MinValue, x.Min());
            Assert.InRange(Decode((byte)((1 << bits) - 1), halves), x.Max() * (1 - 1e-6f * MathF.Sign(x.Max())), float.MaxValue);
            for (int i = 0; i < length; i++)
            {
                Assert.InRange(MathF.Abs(x[i] - Decode(codes[i], halves)), 0, scale * 0.50001f);
            }
        }
    }

    [Fact]
    public void A_share_of_the_range_clamps_what_lies_outside_to_the_outermost_codes()
    {
        byte[] codes = new byte[5];

        Assert.True(RowQuantizer.TryQuantise([-4f, -3f, 0f, 3f, 4f], new(2, 0.75f), codes, out uint halves));

        Assert.Equal([0, 0, 2, 3, 3], codes);
        Assert.Equal((-3f, 3f), (Decode(0, halves), Decode(3, halves)));
    }

    private static (byte[] Codes, uint Halves) Quantise(float[] x, int bits)
    {
        byte[] codes = new byte[x.Length];
        Assert.True(RowQuantizer.TryQuantise(x, new(bits, 1f), codes, out uint halves));
        return (codes, halves);
    }

    private static float Decode(byte code, uint halves) =>
        (code * HalfConversion.ToSingle((ushort)halves)) + HalfConversion.ToSingle((ushort)(halves >> 16));

    private static int[] Unpack(byte[] bytes, int rows, int bits)
    {
        int rowBytes = bytes.Length / rows;
        int count = rowBytes * 8 / bits;
        return [.. Enumerable.Range(0, rows).SelectMany(row => RowGolden.Unpack(bytes.AsSpan(row * rowBytes, rowBytes), count, bits))];
    }
}
