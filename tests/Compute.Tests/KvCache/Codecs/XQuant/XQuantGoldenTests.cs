using System.Text.Json.Nodes;
using Concertina.Compute.Attention.Lanes;
using Concertina.Compute.Calibration.XQuant;
using Concertina.Compute.Kernels;
using Concertina.Compute.Kernels.Elementwise;
using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Codecs;
using Concertina.Compute.KvCache.Codecs.CommVq.Books;
using Concertina.Compute.KvCache.Codecs.XQuant;
using Concertina.Compute.KvCache.Memory;
using Concertina.Compute.Tests.KvCache.Codecs.CommVq;
using Concertina.Compute.Tests.KvCache.Codecs.RowQuant;

namespace Concertina.Compute.Tests.KvCache.Codecs.XQuant;

/// <summary>
/// XQuant against vectors of an independent reference in binary64. Its channels are half split, the engine's interleaved, so
/// columns of M and channels of keys, values and queries are reordered on the way in.
/// </summary>
public sealed class XQuantGoldenTests
{
    private const int HeadDim = 16;
    private const int Width = 32;
    private static readonly KvShape Shape = new(1, 2, 2, HeadDim);

    [Theory]
    [InlineData("weights_k.json")]
    [InlineData("weights_v.json")]
    [InlineData("rank_deficient.json")]
    public void Decompositions_have_the_signs_order_and_rank_of_the_reference(string file)
    {
        RowGolden golden = new("xquant", file);
        int columns = golden.Inputs["w"]!["shape"]![1]!.GetValue<int>();
        double[] weights = [.. RowGolden.Floats(golden.Inputs["w"]!).Select(weight => (double)weight)];

        var svd = ThinSvd.Of(weights, columns);

        int rank = golden.Expected["sigma"]!["shape"]![0]!.GetValue<int>();
        Assert.Equal(rank, svd.Rank);
        Golden.AssertNear(RowGolden.Floats(golden.Expected["sigma"]!), [.. svd.AllSigma.Take(rank).Select(value => (float)value)], 1e-6);
        Golden.AssertNear(RowGolden.Floats(golden.Expected["m"]!), [.. svd.Mixing().Select(value => (float)value)], 2e-5);
        float[] left = [.. Enumerable.Range(0, weights.Length / columns).SelectMany(row => svd.Left.Select(column => (float)column[row]))];
        Golden.AssertNear(RowGolden.Floats(golden.Expected["u"]!), left, 2e-5);
    }

    [Theory]
    [InlineData("k")]
    [InlineData("v")]
    public void Rows_have_the_latents_of_the_input_they_were_projected_from(string side)
    {
        RowGolden golden = new("xquant", "latents.json");
        float[] input = RowGolden.Floats(golden.Inputs["x"]!);
        float[] weights = RowGolden.Floats(new RowGolden("xquant", $"weights_{side}.json").Inputs["w"]!);
        float[] rows = Heads(Product(input, weights, 64));
        KvSide kvSide = side == "k" ? KvSide.Keys : KvSide.Values;

        float[] actual = Project(kvSide, rows, start: 0, frequencies: []);

        // The projection rounds to halves, and once in a while to the neighbour of the reference's.
        AssertHalves(RowGolden.Floats(golden.Expected["x" + side]!), actual, 2e-5);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(3)]
    [InlineData(2)]
    public void Latents_have_the_codes_and_scales_of_the_reference_and_rematerialise_alike(int bits)
    {
        RowGolden golden = new("xquant", $"gqa_b{bits}.json");
        LayerPage page = Page(bits, Setup([]), start: 0);

        AssertCodes(golden, "k", KvSide.Keys, bits, page.KeyPart);
        AssertCodes(golden, "v", KvSide.Values, bits, page.ValuePart);
        Golden.AssertNear(Interleaved(golden.Expected["k"]!), FirstTokens(page.Decode(KvSide.Keys), 32), 1e-5);
        Golden.AssertNear(Interleaved(golden.Expected["v"]!), FirstTokens(page.Decode(KvSide.Values), 32), 1e-5);
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Attention_turns_keys_after_rematerialisation_and_never_rematerialises_values(string pathName)
    {
        VectorPath path = Enum.Parse<VectorPath>(pathName);
        RowGolden golden = new("xquant", "attend_b4.json");
        LayerPage page = Page(4, Setup(Frequencies(10_000)), start: 4000);
        float[] queries = [.. Golden.Interleave(RowGolden.Floats(golden.Inputs["q"]!), HeadDim).Select(query => query / 4f)];
        List<float> maximum = [], sum = [], values = [], outputs = [], latents = [];
        for (int kvHead = 0; kvHead < 2; kvHead++)
        {
            Attended attended = LayerPage.Attend(
                [page], kvHead, (queries[(kvHead * 2 * HeadDim)..((kvHead + 1) * 2 * HeadDim)], [5000, 5000]), path);
            maximum.AddRange(attended.Maximum);
            sum.AddRange(attended.Sum);
            values.AddRange(attended.Values);
            outputs.AddRange(attended.Outputs);
            latents.AddRange(attended.Latents);
        }

        Golden.AssertNear(RowGolden.Floats(golden.Expected["m"]!), maximum, 1e-5);
        Golden.AssertNear(RowGolden.Floats(golden.Expected["l"]!), sum, 1e-4);
        Golden.AssertNear(Golden.Interleave(RowGolden.Floats(golden.Expected["y"]!), HeadDim), values, 1e-4);
        Golden.AssertNear(RowGolden.Floats(golden.Expected["latent_y"]!), latents, 1e-4);
        Golden.AssertNear(Golden.Interleave(RowGolden.Floats(golden.Expected["o"]!), HeadDim), outputs, 1e-5);
        Golden.AssertNear(
            RowGolden.Floats(golden.Expected["lse"]!), [.. maximum.Zip(sum, (m, l) => m + MathF.Log(l))], 1e-5);
    }

    [Fact]
    public void Latents_come_back_from_rotated_keys_of_a_16_bit_page()
    {
        RowGolden golden = new("xquant", "recover_latents.json");
        float[] rotated = [.. RowGolden.Integers(golden.Inputs["k_rotated_half_bits"]!).Select(bits => HalfConversion.ToSingle((ushort)bits))];

        float[] actual = Project(KvSide.Keys, Heads([.. rotated.Select(value => (double)value)]), start: 100, Frequencies(10_000));

        float[] expected = RowGolden.Floats(golden.Expected["xk"]!);
        AssertHalves(expected, actual[..expected.Length], 1e-4);
    }

    [Fact]
    public void Keys_are_turned_back_and_latents_are_multiplied_as_in_the_reference()
    {
        RowGolden golden = new("xquant", "recover_latents.json");
        float[] rotated = Golden.Interleave(
            [.. RowGolden.Integers(golden.Inputs["k_rotated_half_bits"]!).Select(bits => HalfConversion.ToSingle((ushort)bits))], HeadDim);
        XQuantSetup setup = Setup(Frequencies(10_000));
        var tables = new XQuantTables(setup);
        float[] split = new float[tables.Angles.Width];
        for (int row = 0; row < rotated.Length; row += HeadDim)
        {
            PairLayout.Split(rotated.AsSpan(row, HeadDim), split);
            tables.Angles.TurnBack(100 + (row / Width), split);
            PairLayout.Join(split, rotated.AsSpan(row, HeadDim));
        }
        float[] latents = RowGolden.Floats(golden.Expected["xk"]!);
        float[] mixing = setup.Layers[0].Keys.Matrix.ToArray();

        Golden.AssertNear(Interleaved(golden.Expected["unrotated"]!), rotated, 1e-6);
        Golden.AssertNear(Interleaved(golden.Expected["rematerialised"]!), [.. Product(latents, mixing, Width).Select(value => (float)value)], 1e-5);
    }

    public static TheoryData<string> Paths => [.. Enum.GetValues<VectorPath>().Where(VectorPaths.IsSupported).Select(path => path.ToString())];

    internal static XQuantSetup Setup(double[] frequencies) => new()
    {
        Shape = Shape,
        Layers = [new LayerLatents(Map("weights_k.json"), Map("weights_v.json"))],
        Frequencies = frequencies,
        PositionCount = 8192,
    };

    private static double[] Frequencies(float ropeBase) => Rotary.Frequencies(HeadDim, ropeBase, 1f, []);

    private static LatentMap Map(string file)
    {
        JsonNode expected = new RowGolden("xquant", file).Expected;
        return new LatentMap(RowGolden.Floats(expected["sigma"]!), Golden.Interleave(RowGolden.Floats(expected["m"]!), HeadDim));
    }

    private static IKvCodec Codec(int bits, XQuantSetup setup) => XQuantCodecs.Make(setup).Single(codec => codec.Name == $"xq{bits}");

    // The page of the reference's halves.
    private static LayerPage Page(int bits, XQuantSetup setup, int start)
    {
        JsonNode latents = new RowGolden("xquant", "latents.json").Expected;
        float[] keys = Halves(latents["xk_half_bits"]!);
        float[] values = Halves(latents["xv_half_bits"]!);
        LayerPage page = new(Codec(bits, setup), Shape, start);
        float[] turned = [.. Enumerable.Range(0, keys.Length).Select(i => keys[(i % KvShape.PageTokens * Width) + (i / KvShape.PageTokens)])];
        byte[] codes = new byte[keys.Length];
        Assert.True(LatentQuantiser.Keys(turned, KvShape.PageTokens, new PartTarget(page.KeyPart, bits, codes)));
        Assert.True(LatentQuantiser.Values(values, (KvShape.PageTokens, Width), new PartTarget(page.ValuePart, bits, codes)));
        return page;
    }

    private static float[] Halves(JsonNode node) => [.. RowGolden.Integers(node).Select(bits => HalfConversion.ToSingle((ushort)bits))];

    private static void AssertCodes(RowGolden golden, string prefix, KvSide side, int bits, ReadOnlySpan<byte> part)
    {
        byte[] codes = new byte[KvShape.PageTokens * Width];
        LatentPlanes.Unpack(side, bits, LatentPlanes.Words(part), codes);
        byte[] packed = RowGolden.Bytes(golden.Expected[prefix + "_codes"]!);
        int rowBytes = packed.Length / KvShape.PageTokens;
        for (int token = 0; token < KvShape.PageTokens; token++)
        {
            int[] expected = RowGolden.Unpack(packed.AsSpan(token * rowBytes, rowBytes), Width, bits);
            int[] actual = [.. Enumerable.Range(0, Width).Select(channel =>
                (int)codes[side == KvSide.Keys ? (channel * KvShape.PageTokens) + token : (token * Width) + channel])];
            Assert.Equal(expected, actual);
        }
        uint[] scales = LatentPlanes.Words(part)[LatentPlanes.CodeWords(Width, bits)..].ToArray();
        Assert.Equal(RowGolden.Integers(golden.Expected[prefix + "_s_bits"]!), scales.Select(word => (int)(word & 0xFFFF)));
        Assert.Equal(RowGolden.Integers(golden.Expected[prefix + "_mn_bits"]!), scales.Select(word => (int)(word >> 16)));
    }

    // [tokens, channels] of one projection to [KV heads, tokens, headDim], interleaved.
    private static float[] Heads(double[] rows)
    {
        int tokens = rows.Length / Width;
        float[] interleaved = Golden.Interleave([.. rows.Select(value => (float)value)], HeadDim);
        return [.. Enumerable.Range(0, rows.Length).Select(i =>
            interleaved[(i / HeadDim % tokens * Width) + (i / (tokens * HeadDim) * HeadDim) + (i % HeadDim)])];
    }

    // [KV heads, 64, headDim] to the first tokens of [tokens, channels].
    private static float[] FirstTokens(float[] rows, int tokens) => [.. Enumerable.Range(0, tokens * Width).Select(i =>
        rows[(i % Width / HeadDim * KvShape.PageTokens * HeadDim) + (i / Width * HeadDim) + (i % HeadDim)])];

    private static float[] Interleaved(JsonNode node) => Golden.Interleave(RowGolden.Floats(node), HeadDim);

    // Latents [tokens, width] of rows [KV heads, tokens, headDim], rounded to halves.
    private static unsafe float[] Project(KvSide side, float[] rows, int start, double[] frequencies)
    {
        var tables = new XQuantTables(Setup(frequencies));
        var buffers = new PartBuffers(Width, HeadDim, tables.Angles.Width);
        new PartCoder<ScalarLanes, float, Latent8>(tables, buffers).Project(side, rows, new PartSite(UnitShape.LayerPage(Shape), 0, start));
        float[] result = new float[rows.Length];
        for (int i = 0; i < result.Length; i++)
        {
            (int token, int latent) = (i / Width, i % Width);
            result[i] = buffers.Turned[side == KvSide.Keys ? (latent * KvShape.PageTokens) + token : i];
        }
        GC.KeepAlive(buffers);
        return result;
    }

    private static double[] Product(float[] left, float[] right, int inner)
    {
        int columns = right.Length / inner;
        double[] product = new double[left.Length / inner * columns];
        for (int i = 0; i < product.Length; i++)
        {
            for (int k = 0; k < inner; k++)
            {
                product[i] += (double)left[(i / columns * inner) + k] * right[(k * columns) + (i % columns)];
            }
        }
        return product;
    }

    // Within a share of the largest, and half a unit of a half.
    private static void AssertHalves(float[] expected, float[] actual, double share)
    {
        double bound = share * expected.Max(MathF.Abs);
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.InRange(Math.Abs(actual[i] - expected[i]), 0, bound + (Math.Abs(expected[i]) / 2048) + 3e-8);
        }
    }
}
