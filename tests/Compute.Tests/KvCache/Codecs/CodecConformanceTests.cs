using Concertina.Compute.Attention.Lanes;
using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Codecs;
using Concertina.Compute.KvCache.Memory;

namespace Concertina.Compute.Tests.KvCache.Codecs;

/// <summary>What every codec of the catalog must keep; written once, run for all.</summary>
public sealed class CodecConformanceTests
{
    private static readonly int[] HeadDims = [16, 48, 64, 128, 256];

    public static TheoryData<string> Codecs => TestCodecs.Names;

    [Fact]
    public void Numbers_and_names_are_unique_and_known_for_good()
    {
        Assert.Equal(
            [(1, "f32"), (2, "f16"), (3, "int8"), (4, "int4"), (5, "int2"), (8, "int4p"), (9, "int2c"), (13, "int2g")],
            CodecCatalog.All.Select(codec => ((int)codec.Id, codec.Name)));
        Assert.Contains("99", Assert.Throws<ArgumentException>(() => CodecCatalog.WithoutProfile().Get((CodecId)99)).Message);
    }

    [Theory]
    [MemberData(nameof(Codecs))]
    public void Encode_writes_exactly_its_bytes_whatever_lay_there(string name)
    {
        foreach (int headDim in HeadDims)
        {
            (float[] keys, float[] values) = Content(headDim, 40, seed: headDim);
            var zero = new Page(Codec(name, headDim), headDim, keys, values, garbage: 0);
            var dirty = new Page(Codec(name, headDim), headDim, keys, values, garbage: 0xFF);

            Assert.Equal(zero.Bytes[..^Page.Guard].ToArray(), dirty.Bytes[..^Page.Guard].ToArray());
            Assert.Equal(-1, dirty.Bytes[^Page.Guard..].IndexOfAnyExcept((byte)0xFF));
        }
    }

    [Theory]
    [MemberData(nameof(Codecs))]
    public void Decoded_elements_are_within_the_stated_bound(string name)
    {
        foreach (int headDim in HeadDims)
        {
            (float[] keys, float[] values) = Content(headDim, KvShape.PageTokens, seed: headDim);
            var page = new Page(Codec(name, headDim), headDim, keys, values);
            AssertWithin(page, KvSide.Keys, keys);
            AssertWithin(page, KvSide.Values, values);
        }
    }

    [Theory]
    [MemberData(nameof(Codecs))]
    public void Attending_a_page_equals_attending_its_decoded_copy_and_all_paths_agree_bit_by_bit(string name)
    {
        foreach (int headDim in HeadDims)
        {
            foreach (int rows in new[] { 1, 2, 3, 4, 7 })
            {
                (float[] keys, float[] values) = Content(headDim, KvShape.PageTokens, seed: headDim + rows);
                float[] queries = Queries(headDim, rows, seed: 5);
                int[] positions = [.. Enumerable.Range(40, rows)];
                var page = new Page(Codec(name, headDim), headDim, keys, values);
                var decoded = new Page(Codec("f32", headDim), headDim, page.Decode(KvSide.Keys), page.Decode(KvSide.Values));

                float[] scalar = Page.Attend([page], queries, positions, VectorPath.Scalar);

                AssertSame(page.Codec, Page.Attend([decoded], queries, positions, VectorPath.Scalar), scalar);
                foreach (VectorPath path in Enum.GetValues<VectorPath>().Where(VectorPaths.IsSupported))
                {
                    Assert.Equal(Bits(scalar), Bits(Page.Attend([page], queries, positions, path)));
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Codecs))]
    public void Attention_agrees_with_softmax_in_double_over_the_decoded_rows(string name)
    {
        (float[] keys, float[] values) = Content(64, 50, seed: 8);
        float[] query = Queries(64, 1, seed: 6);
        var page = new Page(Codec(name, 64), 64, keys, values);
        float bound = MathF.Max(1e-5f, page.Codec.AttendTolerance * 40f);
        float[] decodedKeys = page.Decode(KvSide.Keys);
        float[] decodedValues = page.Decode(KvSide.Values);
        double[] scores = [.. Enumerable.Range(0, 50).Select(slot =>
            Enumerable.Range(0, 64).Sum(c => (double)query[c] * decodedKeys[(slot * 64) + c]))];
        double[] weights = [.. scores.Select(score => Math.Exp(score - scores.Max()))];

        float[] actual = Page.Attend([page], query, [49], VectorPaths.Best);

        for (int channel = 0; channel < 64; channel++)
        {
            int c = channel;
            double expected = Enumerable.Range(0, 50).Sum(slot => weights[slot] * decodedValues[(slot * 64) + c]) / weights.Sum();
            Assert.InRange(actual[channel] - expected, -bound, bound);
        }
    }

    [Theory]
    [MemberData(nameof(Codecs))]
    public void Slots_beyond_the_filled_count_do_not_matter_even_as_nan(string name)
    {
        foreach (int filled in new[] { 1, 2, 15, 16, 17, 31, 33, 63 })
        {
            (float[] keys, float[] values) = Content(48, KvShape.PageTokens, seed: filled);
            Assert.SkipUnless(Codec(name, 48).RowsMove, $"Slots of {name} share data with their page.");
            var cut = new Page(Codec(name, 48), 48, keys[..(filled * 48)], values[..(filled * 48)]);
            Array.Fill(keys, float.NaN, filled * 48, (KvShape.PageTokens - filled) * 48);
            Array.Fill(values, float.NaN, filled * 48, (KvShape.PageTokens - filled) * 48);
            var poisoned = new Page(Codec(name, 48), 48, keys, values);
            float[] queries = Queries(48, 3, seed: 1);

            float[] clean = Page.Attend([cut], queries, [0, filled - 1, filled - 1], VectorPaths.Best);

            Assert.Equal(Bits(clean), Bits(Page.Attend([poisoned], queries, [0, filled - 1, filled - 1], VectorPaths.Best)));
        }
    }

    [Theory]
    [MemberData(nameof(Codecs))]
    public void Storing_slot_by_slot_equals_encoding_the_page(string name)
    {
        IKvCodec codec = Codec(name, 48);
        if (!codec.HoldsOpenPages)
        {
            Assert.Skip($"{name} holds no open pages.");
        }
        (float[] keys, float[] values) = Content(48, KvShape.PageTokens, seed: 3);
        var page = new Page(codec, 48, keys, values);
        UnitShape shape = Page.Shape(48);
        foreach ((KvSide side, float[] rows) in new[] { (KvSide.Keys, keys), (KvSide.Values, values) })
        {
            byte[] part = new byte[codec.PartBytes(side, shape)];
            for (int slot = 0; slot < KvShape.PageTokens; slot += slot % 3 + 1)
            {
                int count = Math.Min((slot % 3) + 1, KvShape.PageTokens - slot);
                codec.Store(side, new SlotRows(rows.AsSpan(slot * 48), 48, slot, count), shape, part);
            }
            byte[] encoded = side == KvSide.Keys ? page.Bytes[..page.KeyBytes].ToArray() : page.Bytes[page.KeyBytes..^Page.Guard].ToArray();
            Assert.Equal(encoded, part);
        }
    }

    [Theory]
    [MemberData(nameof(Codecs))]
    public void Zero_huge_denormal_and_constant_rows_survive(string name)
    {
        foreach (float level in new[] { 0f, 65504f, -65504f, 1e-7f, -6e-8f, 1f })
        {
            float[] rows = new float[KvShape.PageTokens * 64];
            Array.Fill(rows, level);
            var page = new Page(Codec(name, 64), 64, rows, rows);
            Assert.True(page.Finite);
            AssertWithin(page, KvSide.Keys, rows);
            foreach (int rowCount in new[] { 1, 8 })
            {
                float[] outputs = Page.Attend([page], Queries(64, rowCount, 2), [.. Enumerable.Repeat(63, rowCount)], VectorPaths.Best);
                float[] kept = page.Decode(KvSide.Values);
                float slack = page.Codec.AttendTolerance * kept.Max(MathF.Abs);
                for (int i = 0; i < outputs.Length; i++)
                {
                    float bound = MathF.Max(MathF.Abs(kept[i % 64]) * 1e-5f, slack);
                    Assert.InRange(outputs[i], kept[i % 64] - bound, kept[i % 64] + bound);
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Codecs))]
    public void Pages_of_other_codecs_in_between_change_nothing_but_their_own_rounding(string name)
    {
        (float[] keys, float[] values) = Content(64, KvShape.PageTokens, seed: 1);
        (float[] otherKeys, float[] otherValues) = Content(64, KvShape.PageTokens, seed: 2);
        Page[] mixed =
        [
            new(Codec(name, 64), 64, keys, values),
            new(Codec("f32", 64), 64, otherKeys, otherValues, start: 64),
            new(Codec(name, 64), 64, keys, values, start: 128),
        ];
        Page[] decoded = [.. mixed.Select(page => new Page(
            Codec("f32", 64), 64, page.Decode(KvSide.Keys), page.Decode(KvSide.Values), start: page.Start))];
        float[] queries = Queries(64, 6, seed: 3);
        int[] positions = [3, 70, 127, 128, 150, 191];

        float[] attended = Page.Attend(mixed, queries, positions, VectorPaths.Best);

        AssertSame(mixed[0].Codec, Page.Attend(decoded, queries, positions, VectorPaths.Best), attended);
    }

    [Theory]
    [MemberData(nameof(Codecs))]
    public void A_row_gives_the_same_bits_among_any_number_of_rows(string name)
    {
        (float[] keys, float[] values) = Content(64, KvShape.PageTokens, seed: 4);
        var page = new Page(Codec(name, 64), 64, keys, values);
        float[] queries = Queries(64, 9, seed: 7);
        int[] positions = [63, 63, 63, 63, 63, 63, 63, 63, 63];
        float[] together = Page.Attend([page], queries, positions, VectorPaths.Best);

        for (int row = 0; row < 9; row++)
        {
            float[] alone = Page.Attend([page], queries[(row * 64)..((row + 1) * 64)], [63], VectorPaths.Best);

            Assert.Equal(Bits(together[(row * 64)..((row + 1) * 64)]), Bits(alone));
        }
    }

    [Theory]
    [MemberData(nameof(Codecs))]
    public void A_moved_slot_is_the_same_slot_elsewhere(string name)
    {
        IKvCodec codec = Codec(name, 48);
        if (!codec.RowsMove)
        {
            Assert.Skip($"Slots of {name} share data with their page.");
        }
        (_, float[] values) = Content(48, KvShape.PageTokens, seed: 3);
        var page = new Page(codec, 48, values, values);
        UnitShape shape = Page.Shape(48);
        byte[] part = page.Bytes[page.KeyBytes..^Page.Guard].ToArray();
        float[] before = page.Decode(KvSide.Values);
        float[] after = new float[before.Length];

        codec.CopySlot(KvSide.Values, new SlotMove(page.Bytes[page.KeyBytes..^Page.Guard], 50, part, 7), shape);

        codec.Decode(KvSide.Values, part, new PartSite(shape, 0, 0), after);
        before.AsSpan(50 * 48, 48).CopyTo(before.AsSpan(7 * 48));
        Assert.Equal(before, after);
    }

    [Theory]
    [MemberData(nameof(Codecs))]
    public void Truncation_keeps_the_slots_below_the_cut(string name)
    {
        (float[] keys, float[] values) = Content(64, KvShape.PageTokens, seed: 1);
        var page = new Page(Codec(name, 64), 64, keys, values);
        foreach (KvSide side in Enum.GetValues<KvSide>())
        {
            float[] before = page.Decode(side);
            Span<byte> part = side == KvSide.Keys ? page.Bytes[..page.KeyBytes] : page.Bytes[page.KeyBytes..^Page.Guard];

            int kept = page.Codec.Truncate(side, part, Page.Shape(64), 37);

            Assert.InRange(kept, 0, 37);
            Assert.Equal(before[..(kept * 64)], page.Decode(side)[..(kept * 64)]);
            Assert.Equal(kept, page.Codec.Truncate(side, part, Page.Shape(64), kept));
        }
    }

    [Theory]
    [MemberData(nameof(Codecs))]
    public void Scratch_is_not_negative_and_the_runner_offers_what_is_needed(string name)
    {
        Assert.InRange(Codec(name, 64).ScratchBytes(KvSide.Keys, Page.Shape(64)), 0, long.MaxValue);
        Assert.Equal(HookNeeds.None, Codec(name, 64).Needs & ~KvRows.Offered);
    }

    private static IKvCodec Codec(string name, int headDim) => TestCodecs.Make(name, headDim);

    // Bit by bit where the codec promises that; else within its tolerance of the largest value.
    private static void AssertSame(IKvCodec codec, float[] plain, float[] actual)
    {
        if (codec.AttendTolerance == 0)
        {
            Assert.Equal(Bits(plain), Bits(actual));
            return;
        }
        float bound = codec.AttendTolerance * plain.Max(MathF.Abs);
        Assert.All(plain.Zip(actual), pair => Assert.InRange(pair.Second - pair.First, -bound, bound));
    }

    private static void AssertWithin(Page page, KvSide side, float[] rows)
    {
        float[] decoded = page.Decode(side);
        for (int at = 0; at < rows.Length; at++)
        {
            int row = at / page.HeadDim * page.HeadDim;
            float magnitude = rows.Skip(row).Take(page.HeadDim).Max(MathF.Abs);
            Assert.InRange(MathF.Abs(decoded[at] - rows[at]), 0, page.Codec.ErrorBound(side, magnitude));
        }
    }

    private static (float[] Keys, float[] Values) Content(int headDim, int slots, int seed)
    {
        var random = new Random(seed);
        float[] keys = [.. Enumerable.Range(0, slots * headDim).Select(_ => ((float)random.NextDouble() * 4f) - 2f)];
        float[] values = [.. keys.Select(_ => ((float)random.NextDouble() * 2e-3f) - 1e-3f)];
        keys[0] = 300f;
        values[^1] = -40f;
        return (keys, values);
    }

    private static float[] Queries(int headDim, int rows, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, rows * headDim).Select(_ => (float)random.NextDouble() - 0.5f)];
    }

    private static int[] Bits(float[] values) => [.. values.Select(BitConverter.SingleToInt32Bits)];
}
