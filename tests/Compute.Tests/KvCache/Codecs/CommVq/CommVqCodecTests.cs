using Concertina.Compute.Attention.Lanes;
using Concertina.Compute.Kernels.Elementwise;
using Concertina.Compute.KvCache.Codecs;
using Concertina.Compute.KvCache.Codecs.CommVq;
using Concertina.Compute.KvCache.Codecs.CommVq.Books;
using Concertina.Compute.KvCache.Memory;

namespace Concertina.Compute.Tests.KvCache.Codecs.CommVq;

/// <summary>Laws of the codecs beyond those of every codec.</summary>
public sealed class CommVqCodecTests
{
    private const int HeadDim = 64;

    private static readonly CommVqShape Shape = new(16, 16, 16, 32);
    private static readonly UnitShape PageShape = Page.Shape(HeadDim);
    private static readonly CommVqSetup Setup = TestCommVq.Setup(Shape, HeadDim);
    private static readonly CommVqCodec Two = CommVqCodec.Make(Setup).Two;
    private static readonly CommVqCodec One = CommVqCodec.Make(Setup).One;

    [Theory]
    [InlineData(16, 16, 16, 32, 1024 + 64, 1024 + 64)]
    [InlineData(64, 10, 64, 20, 960 + 64, 960 + 64)]
    [InlineData(16, 8, 256, 16, 512 + 64, 1024 + 64)]
    public void A_part_is_its_planes_and_a_scale_byte_a_slot(int keyLevels, int keyStages, int valueLevels, int valueStages, int keyBytes, int valueBytes)
    {
        var shape = new CommVqShape(keyLevels, keyStages, valueLevels, valueStages);
        (CommVqCodec two, CommVqCodec one) = CommVqCodec.Make(TestCommVq.Setup(shape, HeadDim));

        Assert.Equal((keyBytes, valueBytes), (two.PartBytes(KvSide.Keys, PageShape), two.PartBytes(KvSide.Values, PageShape)));
        Assert.Equal(shape.PageBytes, keyBytes + valueBytes);
        Assert.Equal((keyBytes + 64) / 2, one.PartBytes(KvSide.Keys, PageShape));
        Assert.Equal(one.Shape.PageBytes, one.PartBytes(KvSide.Keys, PageShape) + one.PartBytes(KvSide.Values, PageShape));
        Assert.InRange(two.ScratchBytes(KvSide.Keys, PageShape), 2 * sizeof(float) * keyLevels * keyStages * HeadDim, long.MaxValue);
        Assert.InRange(two.ScratchBytes(KvSide.Values, PageShape), 2 * sizeof(float) * valueLevels * valueStages * HeadDim, long.MaxValue);
        Assert.InRange(one.ScratchBytes(KvSide.Values, PageShape), 0, 0);
    }

    [Fact]
    public void Dropping_stages_is_bit_exact_and_keeps_what_the_first_stages_say()
    {
        foreach (KvSide side in Enum.GetValues<KvSide>())
        {
            byte[] source = Encode(Two, side, Rows(1), 128);
            byte[] part = [.. Enumerable.Repeat((byte)0xEE, One.PartBytes(side, PageShape))];

            Assert.True(One.TryConvert(side, CodecId.CommVq2, source, part, PageShape));

            int kept = part.Length - 64;
            Assert.Equal(source[..kept], part[..kept]);
            Assert.Equal(source[^64..], part[kept..]);
            Assert.False(One.TryConvert(side, CodecId.F16, source, part, PageShape));
            Assert.False(Two.TryConvert(side, CodecId.CommVq1, part, source, PageShape));
            // The books of one codec are the first stages of the other's.
            CommVqBooks books = Setup.Books;
            CommVqBooks halves = new([.. books.Keys.Select(book => book.Take(8))], [.. books.Values.Select(book => book.Take(16))]);
            CommVqCodec native = CommVqCodec.Make(Setup with { Books = halves }).Two;
            Assert.Equal(Decode(native, side, part, 128), Decode(One, side, part, 128));
        }
    }

    [Fact]
    public void Sources_of_four_bits_are_accepted_and_coarser_ones_are_not()
    {
        Assert.True(Two.Accepts(CodecId.F16) && Two.Accepts(CodecId.F32) && Two.Accepts(CodecId.Int8) && Two.Accepts(CodecId.Int4));
        Assert.False(Two.Accepts(CodecId.Int2) || Two.Accepts(CodecId.Int2Channel) || Two.Accepts(CodecId.CommVq1) || One.Accepts(CodecId.Int2));
        Assert.True(One.Accepts(CodecId.CommVq2));
    }

    [Fact]
    public void A_source_of_eight_bits_is_nearly_as_good_as_the_rows_themselves()
    {
        float[] rows = Rows(1);
        IKvCodec int8 = CodecCatalog.Find("int8")!;
        foreach (KvSide side in Enum.GetValues<KvSide>())
        {
            byte[] packed = Encode(int8, side, rows, 128);
            float[] source = Decode(int8, side, packed, 128);

            double direct = CommVqSearchTests.Error(rows, Decode(Two, side, Encode(Two, side, rows, 128), 128));
            double through = CommVqSearchTests.Error(rows, Decode(Two, side, Encode(Two, side, source, 128), 128));

            Assert.InRange(through, 0, direct * 1.02);
        }
    }

    [Fact]
    public void The_same_keys_at_other_positions_get_the_same_codes()
    {
        float[] keys = Rows(1);
        byte[] here = Encode(Two, KvSide.Keys, Rotated(keys, 0), 0);

        foreach (int start in new[] { 1, 64, 1000, 1984 })
        {
            Assert.Equal(here, Encode(Two, KvSide.Keys, Rotated(keys, start), start));
        }
    }

    [Fact]
    public void Keys_of_gapped_pages_turn_to_the_positions_their_offsets_say()
    {
        float[] keys = Rows(1);
        ushort[] offsets = [.. Enumerable.Range(0, 64).Select(slot => (ushort)(slot * 13))];
        float[] rotated = Rotated(keys, 70, offsets);
        byte[] part = new byte[Two.PartBytes(KvSide.Keys, PageShape)];
        float[] decoded = new float[rotated.Length];

        Assert.True(Two.Encode(KvSide.Keys, rotated, new PartSite(PageShape, 0, 70, offsets), part));
        Two.Decode(KvSide.Keys, part, new PartSite(PageShape, 0, 70, offsets), decoded);

        Assert.Equal(Encode(Two, KvSide.Keys, Rotated(keys, 0), 0), part);
        Golden.AssertNear(Rotated(Decode(Two, KvSide.Keys, Encode(Two, KvSide.Keys, keys, -1), -1), 70, offsets), decoded, 1e-5);
    }

    [Fact]
    public void The_order_of_pages_changes_nothing_but_rounding()
    {
        foreach (bool histogram in new[] { false, true })
        {
            CommVqCodec codec = CommVqCodec.Make(Setup with { HistogramValues = histogram }).Two;
            Page[] pages = [.. Enumerable.Range(0, 4).Select(page => new Page(codec, HeadDim, Rows(page), Rows(page + 9), start: page * 64))];
            float[] queries = [.. Rows(3).Take(3 * HeadDim).Select(x => x / 4)];

            float[] forward = Page.Attend(pages, queries, [255, 255, 255], VectorPaths.Best);
            float[] backward = Page.Attend([.. pages.Reverse()], queries, [255, 255, 255], VectorPaths.Best);

            Golden.AssertNear(forward, backward, 1e-5);
        }
    }

    [Fact]
    public void A_page_that_no_row_sees_contributes_nothing()
    {
        foreach (bool histogram in new[] { false, true })
        {
            CommVqCodec codec = CommVqCodec.Make(Setup with { HistogramValues = histogram }).Two;
            Page seen = new(codec, HeadDim, Rows(1), Rows(2));
            Page beyond = new(codec, HeadDim, Rows(3), Rows(4), start: 640);
            float[] queries = Rows(3)[..(2 * HeadDim)];

            Assert.Equal(Page.Attend([seen], queries, [5, 63], VectorPaths.Best), Page.Attend([seen, beyond], queries, [5, 63], VectorPaths.Best));
            Assert.All(Page.Attend([beyond], queries, [5, 63], VectorPaths.Best), value => Assert.Equal(0f, value));
        }
    }

    [Fact]
    public void The_change_of_a_score_is_bounded_by_the_error_of_its_key_and_that_of_the_weights_by_the_scores()
    {
        float[] keys = Rows(1);
        float[] decoded = Decode(Two, KvSide.Keys, Encode(Two, KvSide.Keys, keys, 0), 0);
        float[] query = [.. Rows(2).Take(HeadDim).Select(x => x / 2)];
        double length = Math.Sqrt(query.Sum(x => (double)x * x));
        double[] before = new double[64], after = new double[64];
        double largest = 0;
        for (int slot = 0; slot < 64; slot++)
        {
            for (int channel = 0; channel < HeadDim; channel++)
            {
                before[slot] += query[channel] * (double)keys[(slot * HeadDim) + channel] / 8;
                after[slot] += query[channel] * (double)decoded[(slot * HeadDim) + channel] / 8;
            }
            double error = Math.Sqrt(CommVqSearchTests.Error(keys.AsSpan(slot * HeadDim, HeadDim), decoded.AsSpan(slot * HeadDim, HeadDim)));
            double change = Math.Abs(after[slot] - before[slot]);
            Assert.InRange(change, 0, (length * error / 8) + 1e-9);
            largest = Math.Max(largest, change);
        }
        double[] p = Softmax(before), q = Softmax(after);
        double variation = p.Zip(q, (a, b) => Math.Abs(a - b)).Sum() / 2;
        Assert.InRange(variation, 0, Math.Tanh(largest / 2));
    }

    [Fact]
    public void Rows_that_are_not_finite_are_reported_and_spoil_no_other()
    {
        foreach (KvSide side in Enum.GetValues<KvSide>())
        {
            foreach (float poison in new[] { float.NaN, float.PositiveInfinity, float.NegativeInfinity })
            {
                float[] rows = Rows(1);
                byte[] clean = Encode(Two, side, rows, 0);
                rows[(5 * HeadDim) + 3] = poison;
                byte[] part = new byte[clean.Length];

                Assert.False(Two.Encode(side, rows, new PartSite(PageShape, 0, 0), part));

                float[] decoded = Decode(Two, side, part, 0);
                Assert.All(decoded, value => Assert.True(float.IsFinite(value)));
                float[] before = Decode(Two, side, clean, 0);
                Assert.Equal(before[..(5 * HeadDim)], decoded[..(5 * HeadDim)]);
                Assert.Equal(before[(6 * HeadDim)..], decoded[(6 * HeadDim)..]);
            }
        }
    }

    [Fact]
    public void The_mean_itself_has_codes_0_and_a_huge_norm_the_last_scale()
    {
        float[] rows = new float[64 * HeadDim];
        Setup.Books.Values[0].Mean.Span.CopyTo(rows);
        rows.AsSpan(HeadDim, HeadDim).Fill(1e30f);
        byte[] part = Encode(Two, KvSide.Values, rows, 0);

        Assert.All(Enumerable.Range(0, 17), plane => Assert.Equal(0, part[plane * 64]));
        Assert.Equal(Setup.Books.Values[0].Mean.ToArray(), Decode(Two, KvSide.Values, part, 0)[..HeadDim]);
        Assert.Equal(255, part[^63]);
    }

    [Fact]
    public async Task Codes_do_not_depend_on_who_encodes_at_the_same_time()
    {
        byte[][] alone = [.. Enumerable.Range(0, 8).Select(page => Encode(Two, KvSide.Keys, Rows(page), page * 64))];

        byte[][] together = await Task.WhenAll(Enumerable.Range(0, 8).Select(page => Task.Run(() => Encode(Two, KvSide.Keys, Rows(page), page * 64))));

        Assert.Equal(alone, together);
    }

    [Fact]
    public void Untied_books_make_the_arm_for_comparison_and_no_rung()
    {
        CommVqBooks books = Setup.Books;
        KeyBook[] untied = [.. books.Keys.Select(book => new KeyBook(book.Layout, book.Rows.ToArray(), [.. book.Rows.ToArray().Reverse()], book.Mean.ToArray()))];
        CommVqSetup arm = Setup with { Books = new CommVqBooks(untied, books.Values) };

        var codec = CommVqCodec.MakeArm(CommVqArm.All[0], arm);

        Assert.Equal((CodecId.CommVq2Untied, "commvq2u"), (codec.Id, codec.Name));
        Assert.NotEqual(books.Version, arm.Books.Version);
        Assert.Equal(books.Version, new CommVqBooks(books.Keys, books.Values).Version);
        (int[] codes, double[] norms, _) = KeySearch.Encode(untied[0], Rows(1), beam: 4);
        float[] expected = KeySearch.Decode(untied[0], codes, [.. norms.Select(norm => (double)ScaleByte.Values[ScaleByte.Encode(norm)])]);
        Golden.AssertNear(expected, Decode(codec, KvSide.Keys, Encode(codec, KvSide.Keys, Rows(1), -1), -1), 1e-5);
        Assert.Throws<ArgumentException>(() => CommVqCodec.Make(arm));
        Assert.Throws<ArgumentException>(() => CommVqCodec.MakeArm(CommVqArm.All[0], Setup));
    }

    [Theory]
    [InlineData(16, 16)]
    [InlineData(64, 64)]
    [InlineData(16, 256)]
    public void Decoding_is_the_sum_that_the_planes_of_the_part_say(int keyLevels, int valueLevels)
    {
        var shape = new CommVqShape(keyLevels, 4, valueLevels, 4);
        CommVqSetup setup = TestCommVq.Setup(shape, HeadDim);
        CommVqCodec codec = CommVqCodec.Make(setup).Two;
        byte[] keys = Encode(codec, KvSide.Keys, Rows(1), -1);
        byte[] values = Encode(codec, KvSide.Values, Rows(2), 0);
        int bytes = CodePlane.Bytes(shape.KeyPlaneBits);
        int[] codes = [.. Enumerable.Range(0, 4 * 64).Select(at => CodePlane.Read(keys.AsSpan(at / 64 * bytes, bytes), shape.KeyPlaneBits, at % 64))];
        Golden.AssertNear(KeySearch.Decode(setup.Books.Keys[0], codes, Norms(keys)), Decode(codec, KvSide.Keys, keys, -1), 1e-5);

        ValueBook book = setup.Books.Values[0];
        bytes = CodePlane.Bytes(shape.ValuePlaneBits);
        float[] expected = new float[64 * HeadDim];
        for (int at = 0; at < expected.Length; at++)
        {
            double sum = 0;
            for (int stage = 0; stage < 4; stage++)
            {
                int plane = stage / shape.ValuePlaneStages;
                int code = CodePlane.Read(values.AsSpan(plane * bytes, bytes), shape.ValuePlaneBits, at / HeadDim);
                int level = shape.ValuePlaneStages == 1 ? code : stage % 2 == 0 ? code / 16 : code % 16;
                sum += book.Stage(stage)[(level * HeadDim) + (at % HeadDim)];
            }
            expected[at] = (float)(book.Mean.Span[at % HeadDim] + (Norms(values)[at / HeadDim] * sum));
        }
        Golden.AssertNear(expected, Decode(codec, KvSide.Values, values, 0), 1e-5);
    }

    private static double[] Norms(byte[] part) => [.. part[^64..].Select(scale => (double)ScaleByte.Values[scale])];

    [Fact]
    public void Scalar_and_vector_decoding_agree_bit_by_bit()
    {
        byte[] part = Encode(Two, KvSide.Keys, Rows(1), 128);
        float[] scalar = new float[64 * HeadDim];
        Two.Decode<ScalarLanes, float>(KvSide.Keys, part, new PartSite(PageShape, 0, 128), scalar);

        Assert.Equal(scalar, Decode(Two, KvSide.Keys, part, 128));
    }

    // A start of -1 stands for keys before RoPE: all slots at position 0.
    private static byte[] Encode(IKvCodec codec, KvSide side, float[] rows, int start)
    {
        byte[] part = new byte[codec.PartBytes(side, PageShape)];
        codec.Encode(side, rows, new PartSite(PageShape, 0, Math.Max(start, 0), start < 0 ? new ushort[64] : default), part);
        return part;
    }

    private static float[] Decode(IKvCodec codec, KvSide side, byte[] part, int start)
    {
        float[] rows = new float[64 * HeadDim];
        codec.Decode(side, part, new PartSite(PageShape, 0, Math.Max(start, 0), start < 0 ? new ushort[64] : default), rows);
        return rows;
    }

    // Rows the books were not trained on, but for their distribution.
    private static float[] Rows(int page) => KeySearch.Synthetic(400 + (64 * 32), HeadDim, seed: 1).AsSpan((400 + (64 * page)) * HeadDim, 64 * HeadDim).ToArray();

    // As the model rotates: Rotary's own kernel.
    private static float[] Rotated(float[] rows, int start, ushort[]? offsets = null)
    {
        var rotary = new Rotary(HeadDim / 2, 10_000, 1, [], 64);
        float[] rotated = [.. rows];
        for (int slot = 0; slot < 64; slot++)
        {
            rotary.SetPosition(slot, start + (offsets is null ? slot : offsets[slot]));
            rotary.Rotate(slot, rotated.AsSpan(slot * HeadDim, HeadDim), 0, HeadDim);
        }
        return rotated;
    }

    private static double[] Softmax(double[] scores)
    {
        double[] weights = [.. scores.Select(score => Math.Exp(score - scores.Max()))];
        return [.. weights.Select(weight => weight / weights.Sum())];
    }
}
