using System.Text.Json.Nodes;
using Concertina.Compute.KvCache.Codecs.CommVq;
using Concertina.Compute.KvCache.Codecs.CommVq.Books;
using Concertina.Compute.KvCache.Codecs.CommVq.Encoding;

namespace Concertina.Compute.Tests.KvCache.Codecs.CommVq;

/// <summary>Codes, bytes and sums of the reference.</summary>
public sealed class CommVqGoldenTests
{
    [Theory]
    [InlineData(8)]
    [InlineData(4)]
    public void Greedy_codes_are_those_of_the_reference_and_stages_are_nested(int stages)
    {
        Golden golden = new("encode_greedy_r8");

        (int[] codes, double[] norms, float[] squared) = KeySearch.Encode(Golden.Book(stages), Golden.Tokens(), beam: 1);

        Assert.Equal(Codes(golden.Expected)[..codes.Length], codes);
        Golden.AssertNear(Golden.Floats(golden.Expected["nu"]!), [.. norms.Select(norm => (float)norm)], 1e-6);
        float[] residuals = Golden.Floats(golden.Expected["squared_residual"]!);
        Golden.AssertNear(residuals[((stages - 1) * 128)..(stages * 128)], squared, 1e-5);
        Assert.Equal(Golden.Integers(golden.Expected["scale_log8"]!), norms.Select(norm => (int)ScaleByte.Encode(norm)));
    }

    [Theory]
    [InlineData("encode_beam4_r8", 8)]
    [InlineData("encode_beam4_r4", 4)]
    public void Beam_codes_are_those_of_the_reference(string name, int stages)
    {
        Golden golden = new(name);

        (int[] codes, _, float[] squared) = KeySearch.Encode(Golden.Book(stages), Golden.Tokens(), beam: 4);

        Assert.Equal(Codes(golden.Expected), codes);
        Golden.AssertNear(Golden.Floats(golden.Expected["squared_residual"]!), squared, 1e-5);
    }

    [Fact]
    public void Greedy_pages_have_the_bytes_of_the_reference()
    {
        JsonArray pages = new Golden("encode_greedy_r8").Expected["page_bytes"]!.AsArray();
        (int[] codes, _, _) = KeySearch.Encode(Golden.Book(), Golden.Tokens(), beam: 1);
        for (int page = 0; page < pages.Count; page++)
        {
            byte[] bytes = new byte[8 * 64];
            for (int stage = 0; stage < 8; stage++)
            {
                for (int slot = 0; slot < 64; slot++)
                {
                    CodePlane.Write(bytes.AsSpan(stage * 64, 64), 8, slot, codes[(stage * 128) + (page * 64) + slot]);
                }
            }

            Assert.Equal(Golden.Bytes(pages[page]!), bytes);
        }
    }

    [Theory]
    [InlineData("decode_r8", 8)]
    [InlineData("decode_r4_truncated", 4)]
    public void Sums_of_codewords_are_those_of_the_reference(string name, int stages)
    {
        Golden golden = new(name);
        Golden greedy = new("encode_greedy_r8");
        float[] expected = Golden.Interleave(Golden.Floats(golden.Expected["k_hat"]!), 64);
        int count = expected.Length / 64;
        double[] norms = [.. Golden.Integers(greedy.Expected["scale_f16_bits"]!).Select(bits => (double)BitConverter.UInt16BitsToHalf((ushort)bits)).Take(count)];
        int[] codes = [.. Codes(greedy.Expected).Where((_, at) => at % 128 < count).Take(stages * count)];

        Golden.AssertNear(expected, KeySearch.Decode(Golden.Book(stages), codes, norms), 1e-6);
    }

    [Fact]
    public void Channels_in_the_interleaved_layout_give_the_same_pairs_and_codes()
    {
        Golden golden = new("interleaved_layout");
        KeyBook book = Golden.Book();
        float[] mean = Golden.Floats(golden.Inputs["mu"]!);
        Assert.Equal(mean, book.Mean.ToArray());

        (int[] codes, double[] norms, _) = KeySearch.Encode(book, Golden.Floats(golden.Inputs["k"]!), beam: 1);

        Assert.Equal(Codes(golden.Expected), codes);
        Golden.AssertNear(Golden.Floats(golden.Expected["nu"]!), [.. norms.Select(norm => (float)norm)], 1e-6);
    }

    [Fact]
    public void Of_equal_distances_the_lowest_code_wins_and_in_a_beam_the_lowest_rank()
    {
        Golden golden = new("ties");
        float[] rows = Golden.Floats(golden.Inputs["rows"]!);
        float[] vectors = Golden.Floats(golden.Inputs["t"]!);
        foreach ((int beam, string name) in new[] { (1, "greedy"), (4, "beam") })
        {
            var encoder = new BeamEncoder(5, 64, beam, 2);
            encoder.Begin(5);
            for (int vector = 0; vector < 5; vector++)
            {
                vectors.AsSpan(vector * 8, 4).CopyTo(encoder.Row(vector));
                vectors.AsSpan((vector * 8) + 4, 4).CopyTo(encoder.Row(vector)[32..]);
            }
            for (int stage = 0; stage < 2; stage++)
            {
                encoder.Step(SmallStage(rows.AsSpan(stage * 32, 32), 4, 4));
            }
            int[] codes = new int[10];
            float[] squared = new float[5];
            encoder.Finish(codes, squared);

            int[] a = Golden.Integers(golden.Expected[name + "_a"]!);
            int[] b = Golden.Integers(golden.Expected[name + "_b"]!);
            Assert.Equal(a.Zip(b, (first, second) => (first * 4) + second), codes);
            float[] residuals = Golden.Floats(golden.Expected[name + "_squared_residual"]!);
            Golden.AssertNear(residuals[^5..], squared, 0, 1e-6);
        }
    }

    [Fact]
    public void Edges_a_key_at_the_mean_the_scale_byte_and_twelve_bit_codes()
    {
        Golden golden = new("edges");
        (int[] codes, double[] norms, _) = KeySearch.Encode(Golden.Book(), Golden.Interleave(Golden.Floats(golden.Inputs["k"]!), 64), beam: 1);
        // By definition a token without a norm has codes 0.
        Assert.Equal(0, norms[0]);
        int[] expected = Codes(golden.Expected);
        Assert.Equal(expected.Where((_, at) => at % 4 != 0), codes.Where((_, at) => at % 4 != 0));

        JsonNode log = golden.Expected["log8"]!;
        int[] bytes = [.. Golden.Floats(log["nu"]!).Select(norm => (int)ScaleByte.Encode(norm))];
        Assert.Equal(Golden.Integers(log["code"]!), bytes);
        float[] decoded = Golden.Floats(log["decoded"]!);
        Assert.All(bytes.Zip(decoded), pair => Assert.InRange(ScaleByte.Values[pair.First], pair.Second * (1 - 1e-6), pair.Second * (1 + 1e-6)));

        int[] wide = Golden.Integers(golden.Expected["n64"]!["codes"]!);
        byte[] plane = new byte[CodePlane.Bytes(12)];
        for (int slot = 0; slot < wide.Length; slot++)
        {
            CodePlane.Write(plane, 12, slot, wide[slot]);
        }
        Assert.Equal(Golden.Bytes(golden.Expected["n64"]!["packed"]!), plane[..11]);
        Assert.Equal(wide, Enumerable.Range(0, wide.Length).Select(slot => CodePlane.Read(plane, 12, slot)));
    }

    /// <summary>A stage of rows of <paramref name="pairs"/> complex numbers, tied.</summary>
    internal static PairStage SmallStage(ReadOnlySpan<float> rows, int levels, int pairs)
    {
        float[] first = new float[levels * 64];
        float[] second = new float[levels * 64];
        for (int level = 0; level < levels; level++)
        {
            rows.Slice(level * 2 * pairs, pairs).CopyTo(first.AsSpan(level * 64));
            rows.Slice((level * 2 * pairs) + pairs, pairs).CopyTo(first.AsSpan((level * 64) + 32));
        }
        PairLayout.TimesI(first, second, 64);
        var stage = new PairStage(levels, levels, 64);
        stage.Load(first, second);
        return stage;
    }

    private static int[] Codes(JsonNode expected) =>
        [.. Golden.Integers(expected["a"]!).Zip(Golden.Integers(expected["b"]!), (a, b) => (a * 16) + b)];
}
