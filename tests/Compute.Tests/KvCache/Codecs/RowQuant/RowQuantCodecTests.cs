using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Concertina.Compute.Attention.Lanes;
using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Codecs;
using Concertina.Compute.KvCache.Codecs.RowQuant;
using Concertina.Compute.KvCache.Memory;

namespace Concertina.Compute.Tests.KvCache.Codecs.RowQuant;

/// <summary>What the row codecs promise beyond what all codecs do.</summary>
public sealed class RowQuantCodecTests
{
    public static TheoryData<string, int> RowCodecs => new() { { "int8", 8 }, { "int4", 4 }, { "int2", 2 }, { "int4p", 4 } };

    [Theory]
    [InlineData("int8", 64, 68, 68)]
    [InlineData("int4", 64, 36, 36)]
    [InlineData("int2", 64, 20, 20)]
    [InlineData("int4p", 64, 36, 36)]
    [InlineData("int2c", 64, 24, 24)]
    [InlineData("int2g", 64, 17, 17)]
    [InlineData("int4", 128, 68, 68)]
    [InlineData("int2c", 48, 18, 20)]
    public void A_token_takes_its_codes_and_four_bytes_per_group(string name, int headDim, int keyBytes, int valueBytes)
    {
        IKvCodec codec = CodecCatalog.Find(name)!;
        Assert.Equal(keyBytes * KvShape.PageTokens, codec.PartBytes(KvSide.Keys, Page.Shape(headDim)));
        Assert.Equal(valueBytes * KvShape.PageTokens, codec.PartBytes(KvSide.Values, Page.Shape(headDim)));
    }

    [Theory]
    [MemberData(nameof(RowCodecs))]
    public void Codes_in_a_part_are_those_of_the_quantizer(string name, int bits)
    {
        foreach (int headDim in new[] { 16, 48, 128 })
        {
            float[] rows = Draw(64 * headDim, seed: headDim);
            var page = new Page(CodecCatalog.Find(name)!, headDim, rows, rows);
            uint[] words = MemoryMarshal.Cast<byte, uint>(page.Bytes[page.KeyBytes..^Page.Guard]).ToArray();
            for (int slot = 0; slot < 64; slot++)
            {
                byte[] codes = new byte[headDim];
                RowQuantizer.TryQuantise(
                    rows.AsSpan(slot * headDim, headDim), new(bits, name == "int2" ? 0.75f : 1f), codes, out uint halves);
                int perLine = 16 / bits;
                int inHalf = slot % 32;
                for (int channel = 0; channel < headDim; channel++)
                {
                    uint word = words[(inHalf / perLine * headDim) + channel];
                    Assert.Equal(codes[channel], (word >> ((inHalf % perLine * bits) + (slot / 32 * 16))) & ((1u << bits) - 1));
                }
                Assert.Equal(halves, words[(headDim * 64 * bits / 32) + slot]);
            }
        }
    }

    [Theory]
    [InlineData("int4", 15f)]
    [InlineData("int2", 3f)]
    public void A_rotated_row_is_off_by_half_a_step_per_channel_in_the_mean(string name, float levels)
    {
        foreach (int headDim in new[] { 48, 64, 256 })
        {
            float[] rows = Draw(64 * headDim, seed: headDim);
            var page = new Page(CodecCatalog.Find(name)!, headDim, rows, rows);
            float[] decoded = page.Decode(KvSide.Keys);
            for (int slot = 0; slot < 64; slot++)
            {
                float[] rotated = rows[(slot * headDim)..((slot + 1) * headDim)];
                double squared = rotated.Zip(decoded[(slot * headDim)..], (x, y) => Math.Pow(x - y, 2)).Sum();
                HeadRotation.Forward(rotated);
                double step = (rotated.Max() - rotated.Min()) / levels;

                Assert.InRange(Math.Sqrt(squared / headDim), 0, step * 0.502);
            }
        }
    }

    [Fact]
    public void Four_tokens_that_share_a_scale_have_the_codes_of_one_group_and_their_slots_do_not_move()
    {
        const int HeadDim = 64;
        IKvCodec codec = CodecCatalog.Find("int2g")!;
        float[] rows = Draw(64 * HeadDim, seed: 5);
        float[] decoded = new Page(codec, HeadDim, rows, rows).Decode(KvSide.Values);
        byte[] codes = new byte[4 * HeadDim];
        for (int first = 0; first < 64; first += 4)
        {
            RowQuantizer.TryQuantise(rows.AsSpan(first * HeadDim, 4 * HeadDim), new(2, 0.75f), codes, out uint halves);
            float scale = (float)BitConverter.UInt16BitsToHalf((ushort)halves);
            float minimum = (float)BitConverter.UInt16BitsToHalf((ushort)(halves >> 16));
            Assert.Equal(codes.Select(code => (code * scale) + minimum), decoded[(first * HeadDim)..((first + 4) * HeadDim)]);
        }
        Assert.False(codec.RowsMove);
    }

    [Theory]
    [InlineData("f16", "int4")]
    [InlineData("int4", "f16")]
    [InlineData("int8", "int4")]
    [InlineData("int4", "int2")]
    [InlineData("int2c", "int8")]
    [InlineData("f32", "int2c")]
    [InlineData("int2g", "int4")]
    [InlineData("int2", "int4p")]
    public void Any_keys_go_with_any_values(string keys, string values)
    {
        foreach (int rowCount in new[] { 1, 3, 4, 6 })
        {
            SidesCodec codec = new(CodecCatalog.Find(keys)!, CodecCatalog.Find(values)!);
            float[] queries = Draw(rowCount * 64, seed: 3);
            int[] positions = [.. Enumerable.Range(64 - rowCount, rowCount)];
            var page = new Page(codec, 64, Draw(64 * 64, seed: 1), Draw(64 * 64, seed: 2));
            var decoded = new Page(CodecCatalog.Find("f32")!, 64, page.Decode(KvSide.Keys), page.Decode(KvSide.Values));

            float[] attended = Page.Attend([page], queries, positions, VectorPaths.Best);

            float[] expected = Page.Attend([decoded], queries, positions, VectorPaths.Best);
            float bound = MathF.Max(codec.AttendTolerance, 1e-6f) * expected.Max(MathF.Abs);
            Assert.All(expected.Zip(attended), pair => Assert.InRange(pair.Second - pair.First, -bound, bound));
            Assert.Equal(attended, Page.Attend([page], queries, positions, VectorPath.Scalar));
        }
    }

    [Theory]
    [MemberData(nameof(RowCodecs))]
    public void A_value_that_is_not_finite_is_said_and_makes_whoever_sees_it_nan_and_nobody_else(string name, int bits)
    {
        Assert.InRange(bits, 2, 8);
        foreach (float special in new[] { float.NaN, float.PositiveInfinity, float.NegativeInfinity })
        {
            float[] rows = Draw(64 * 64, seed: 4);
            float[] broken = [.. rows];
            broken[(40 * 64) + 5] = special;
            foreach (bool keys in new[] { true, false })
            {
                var page = new Page(CodecCatalog.Find(name)!, 64, keys ? broken : rows, keys ? rows : broken);
                Assert.False(page.Finite);

                float[] outputs = Page.Attend([page], Draw(2 * 64, seed: 5), [39, 40], VectorPaths.Best);

                Assert.All(outputs[..64], value => Assert.True(float.IsFinite(value)));
                Assert.All(outputs[64..], value => Assert.True(float.IsNaN(value)));
            }
        }
    }

    [Theory]
    [MemberData(nameof(RowCodecs))]
    public void A_query_that_is_not_finite_makes_its_own_row_nan(string name, int bits)
    {
        Assert.InRange(bits, 2, 8);
        var page = new Page(CodecCatalog.Find(name)!, 64, Draw(64 * 64, seed: 1), Draw(64 * 64, seed: 2));
        foreach (float special in new[] { float.NaN, float.PositiveInfinity })
        {
            float[] queries = Draw(2 * 64, seed: 5);
            queries[70] = special;

            float[] outputs = Page.Attend([page], queries, [63, 63], VectorPaths.Best);

            Assert.All(outputs[..64], value => Assert.True(float.IsFinite(value)));
            Assert.All(outputs[64..], value => Assert.True(float.IsNaN(value)));
        }
    }

    [Theory]
    [MemberData(nameof(RowCodecs))]
    public void A_row_that_sees_few_slots_attends_to_all_of_them(string name, int bits)
    {
        Assert.InRange(bits, 2, 8);
        var page = new Page(CodecCatalog.Find(name)!, 64, Draw(64 * 64, seed: 1), Draw(64 * 64, seed: 2));
        var decoded = new Page(CodecCatalog.Find("f32")!, 64, page.Decode(KvSide.Keys), page.Decode(KvSide.Values));
        float[] query = Draw(64, seed: 3);
        for (int last = 0; last < 64; last++)
        {
            float[] expected = Page.Attend([decoded], query, [last], VectorPaths.Best);

            float[] attended = Page.Attend([page], query, [last], VectorPaths.Best);

            float bound = page.Codec.AttendTolerance * expected.Max(MathF.Abs);
            Assert.All(expected.Zip(attended), pair => Assert.InRange(pair.Second - pair.First, -bound, bound));
        }
    }

    [Fact]
    public void The_longest_sum_of_the_largest_codes_and_factors_fits()
    {
        // Ends of the range in every row make codes 0 and 255; a query of one magnitude becomes 32767 everywhere. Even slots
        // have the largest sum and so all the weight, unless it became negative.
        float[] rows = [.. Enumerable.Range(0, 64 * 256).Select(i => (i % 256 == 0) == (i / 256 % 2 == 0) ? -1f : 1f)];
        float[] query = [.. Enumerable.Repeat(0.125f, 256)];
        var page = new Page(CodecCatalog.Find("int8")!, 256, rows, rows);
        foreach (VectorPath path in Enum.GetValues<VectorPath>().Where(VectorPaths.IsSupported))
        {
            float[] outputs = Page.Attend([page], query, [63], path);

            float[] decoded = page.Decode(KvSide.Values);
            Assert.All(outputs.Zip(decoded), pair => Assert.InRange(pair.First - pair.Second, -1e-4f, 1e-4f));
        }
    }

    [Theory]
    [MemberData(nameof(RowCodecs))]
    public void Slots_move_on_both_sides_and_take_nothing_along(string name, int bits)
    {
        Assert.InRange(bits, 2, 8);
        IKvCodec codec = CodecCatalog.Find(name)!;
        UnitShape shape = Page.Shape(48);
        var from = new Page(codec, 48, Draw(64 * 48, seed: 1), Draw(64 * 48, seed: 2));
        var to = new Page(codec, 48, Draw(64 * 48, seed: 3), Draw(64 * 48, seed: 4));
        foreach (KvSide side in Enum.GetValues<KvSide>())
        {
            float[] expected = to.Decode(side);
            for (int slot = 0; slot < 64; slot += 5)
            {
                int target = (slot + 33) % 64;
                Range part = side == KvSide.Keys ? ..to.KeyBytes : to.KeyBytes..^Page.Guard;

                codec.CopySlot(side, new SlotMove(from.Bytes[part], slot, to.Bytes[part], target), shape);

                from.Decode(side).AsSpan(slot * 48, 48).CopyTo(expected.AsSpan(target * 48));
                Assert.Equal(expected, to.Decode(side));
            }
        }
    }

    [Fact]
    public void Vectors_and_their_twin_agree_on_integers_and_on_every_half()
    {
        foreach (uint[] words in new[] { Words(1), Words(2), [.. Enumerable.Range(0, 65536).Select(half => (uint)half | ((uint)half << 16))] })
        {
            if (VectorPaths.IsSupported(VectorPath.Lanes8))
            {
                LaneTwins.AssertSame<Lanes8, Vector256<float>>(words);
            }
            if (VectorPaths.IsSupported(VectorPath.Lanes16))
            {
                LaneTwins.AssertSame<Lanes16, Vector512<float>>(words);
            }
        }
    }

    [Theory]
    [MemberData(nameof(TestCodecs.Names), MemberType = typeof(TestCodecs))]
    public void Attending_allocates_nothing_whatever_the_codec(string name)
    {
        var page = new Page(TestCodecs.Make(name, 64), 64, Draw(64 * 64, seed: 1), Draw(64 * 64, seed: 2));
        foreach (int rows in new[] { 1, 4, 9 })
        {
            Assert.Equal(0, page.AllocatedByAttend(Draw(rows * 64, seed: 6), [.. Enumerable.Repeat(63, rows)], VectorPaths.Best));
        }
    }

    private static uint[] Words(int seed)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, 4096).Select(_ => (uint)random.NextInt64(1L << 32))];
    }

    private static float[] Draw(int count, int seed)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, count).Select(_ => ((float)random.NextDouble() * 2f) - 1f)];
    }
}
