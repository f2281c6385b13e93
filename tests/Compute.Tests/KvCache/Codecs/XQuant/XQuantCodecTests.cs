using Concertina.Compute.Attention.Lanes;
using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Codecs;
using Concertina.Compute.KvCache.Codecs.RowQuant;
using Concertina.Compute.KvCache.Codecs.XQuant;
using Concertina.Compute.KvCache.Memory;

namespace Concertina.Compute.Tests.KvCache.Codecs.XQuant;

/// <summary>What the codecs promise of latents, rows, sizes and sources.</summary>
public sealed class XQuantCodecTests
{
    private const int Channels = 128;
    private static readonly KvShape Shape = new(1, 2, 2, 64);
    private static readonly UnitShape Unit = UnitShape.LayerPage(Shape);
    private static readonly string[] Names = ["xq8", "xq4", "xq3", "xq2"];

    [Theory]
    [InlineData("xq8", 8)]
    [InlineData("xq4", 4)]
    [InlineData("xq3", 3)]
    [InlineData("xq2", 2)]
    public void A_page_costs_its_bits_and_a_scale_and_minimum_a_group(string name, int bits)
    {
        IKvCodec codec = TestXQuant.Get(name, Shape);

        // Keys: 32 bits for 64 tokens of a latent; values: 32 bits for 128 latents of a token.
        Assert.Equal(64 * Channels * (bits + (32.0 / 64)) / 8, codec.PartBytes(KvSide.Keys, Unit));
        Assert.Equal(64 * Channels * (bits + (32.0 / 128)) / 8, codec.PartBytes(KvSide.Values, Unit));
        Assert.Equal(64 * 1024 * (bits + 0.5) / 8, LatentPlanes.PartBytes(KvSide.Keys, 1024, bits));
        Assert.Equal(64 * 1024 * (bits + 0.25) / 8, LatentPlanes.PartBytes(KvSide.Values, 1024, bits));
    }

    [Fact]
    public void Codes_come_back_as_they_were_packed()
    {
        foreach (int bits in new[] { 2, 3, 4, 8 })
        {
            foreach (int width in new[] { 16, 48, 128, 144 })
            {
                foreach (KvSide side in Enum.GetValues<KvSide>())
                {
                    byte[] codes = new byte[width * 64];
                    new Random(width + bits).NextBytes(codes);
                    codes = [.. codes.Select(code => (byte)(code & ((1 << bits) - 1)))];
                    uint[] words = new uint[LatentPlanes.CodeWords(width, bits)];
                    byte[] back = new byte[codes.Length];

                    LatentPlanes.Pack(side, bits, codes, words);
                    LatentPlanes.Unpack(side, bits, words, back);

                    Assert.Equal(codes, back);
                }
            }
        }
    }

    [Theory]
    [InlineData(KvSide.Keys)]
    [InlineData(KvSide.Values)]
    internal void Latents_are_off_by_half_a_step_and_keep_their_codes_when_read_and_written_again(KvSide side)
    {
        foreach (string name in Names)
        {
            int bits = name[2] - '0';
            IKvCodec codec = TestXQuant.Get(name, Shape);
            LayerPage page = NewPage(codec);
            float[] latents = Latents(side, Rows(side));
            byte[] codes = new byte[latents.Length];
            ReadOnlySpan<byte> part = side == KvSide.Keys ? page.KeyPart : page.ValuePart;
            LatentPlanes.Unpack(side, bits, LatentPlanes.Words(part), codes);
            uint[] scales = LatentPlanes.Words(part)[LatentPlanes.CodeWords(Channels, bits)..].ToArray();
            for (int i = 0; i < latents.Length; i++)
            {
                (float scale, float minimum) = LatentScale.Of(scales[side == KvSide.Keys ? i / 64 : i / Channels]);
                float decoded = (codes[i] * scale) + minimum;
                Assert.InRange(Math.Abs((double)decoded - latents[i]), 0, scale * 0.50001);
                Assert.Equal(codes[i], scale == 0 ? 0 : (int)MathF.Round((decoded - minimum) / scale));
            }
        }
    }

    [Fact]
    public void Sixteen_bit_rows_go_to_latents_and_back_within_two_units_of_a_half()
    {
        float[] keys = [.. Rows(KvSide.Keys).Select(value => (float)(Half)value)];
        float[] back = Rematerialised(KvSide.Keys, keys);

        float bound = 2f / 1024 * keys.Max(MathF.Abs);
        Assert.All(keys.Zip(back), pair => Assert.InRange(pair.Second - pair.First, -bound, bound));
    }

    [Fact]
    public void More_bits_lose_less_on_both_sides_and_in_attention()
    {
        double[][] losses = [.. Names.Select(name =>
        {
            LayerPage page = NewPage(TestXQuant.Get(name, Shape));
            float[] queries = TestXQuant.Uniform(2 * 64, 7);
            Page plain = new(CodecCatalog.Find("f32")!, 64, Rows(KvSide.Keys)[..(64 * 64)], Rows(KvSide.Values)[..(64 * 64)], start: 640);
            float[] exact = Page.Attend([plain], queries, [800, 800], VectorPaths.Best);
            return new[]
            {
                PageResidual.Of(Rows(KvSide.Keys), page.Decode(KvSide.Keys)),
                PageResidual.Of(Rows(KvSide.Values), page.Decode(KvSide.Values)),
                PageResidual.Of(exact, LayerPage.Attend([page], 0, (queries, [800, 800]), VectorPaths.Best).Outputs),
            };
        })];
        for (int side = 0; side < 3; side++)
        {
            Assert.InRange(losses[0][side], 0, 0.05);
            for (int bits = 1; bits < Names.Length; bits++)
            {
                Assert.InRange(losses[bits - 1][side], 0, losses[bits][side] * 0.9);
            }
        }
    }

    [Theory]
    [InlineData("xq8", "xq4")]
    [InlineData("xq8", "xq3")]
    [InlineData("xq8", "xq2")]
    [InlineData("xq4", "xq3")]
    [InlineData("xq4", "xq2")]
    public void A_narrower_form_is_made_from_the_latents_of_a_wider_one(string from, string to)
    {
        IKvCodec wide = TestXQuant.Get(from, Shape);
        IKvCodec narrow = TestXQuant.Get(to, Shape);
        LayerPage source = NewPage(wide);
        LayerPage converted = new(narrow, Shape, source.Start);

        Assert.True(narrow.Accepts(wide.Id));
        Assert.True(narrow.TryConvert(KvSide.Keys, wide.Id, source.KeyPart, converted.KeyPart, Unit));
        Assert.True(narrow.TryConvert(KvSide.Values, wide.Id, source.ValuePart, converted.ValuePart, Unit));

        AssertRequantised(KvSide.Keys, (from, source.KeyPart.ToArray()), (to, converted.KeyPart.ToArray()));
        AssertRequantised(KvSide.Values, (from, source.ValuePart.ToArray()), (to, converted.ValuePart.ToArray()));
        LayerPage direct = NewPage(narrow);
        foreach (KvSide side in Enum.GetValues<KvSide>())
        {
            double first = PageResidual.Of(Rows(side), source.Decode(side));
            double second = PageResidual.Of(Rows(side), direct.Decode(side));
            Assert.InRange(PageResidual.Of(Rows(side), converted.Decode(side)), 0, 1.1 * Math.Sqrt((first * first) + (second * second)));
        }
    }

    [Fact]
    public void Positions_with_gaps_turn_as_the_same_positions_without()
    {
        IKvCodec codec = TestXQuant.Get("xq4", Shape);
        ushort[] plain = [.. Enumerable.Range(0, 64).Select(slot => (ushort)slot)];
        LayerPage aligned = new(codec, Shape, (Rows(KvSide.Keys), Rows(KvSide.Values)), start: 640);
        LayerPage listed = new(codec, Shape, (Rows(KvSide.Keys), Rows(KvSide.Values)), start: 640, plain);
        ushort[] gaps = [.. plain.Select(slot => (ushort)(3 * slot))];
        LayerPage gapped = new(codec, Shape, (Rows(KvSide.Keys), Rows(KvSide.Values)), start: 100, gaps);

        Assert.Equal(aligned.Decode(KvSide.Keys), listed.Decode(KvSide.Keys));
        Assert.Equal(aligned.KeyPart.ToArray(), listed.KeyPart.ToArray());
        // Keys that are smooth before RoPE cost more with wrong positions: the same rows come back as well.
        Assert.InRange(PageResidual.Of(Rows(KvSide.Keys), gapped.Decode(KvSide.Keys)), 0.02, 0.2);
        Assert.NotEqual(aligned.KeyPart.ToArray(), gapped.KeyPart.ToArray());
    }

    [Fact]
    public void A_bias_is_taken_off_first_and_put_back()
    {
        IKvCodec codec = TestXQuant.Get("xq8", Shape, bias: true);
        LayerPage page = NewPage(codec);

        Assert.InRange(PageResidual.Of(Rows(KvSide.Keys), page.Decode(KvSide.Keys)), 1e-4, 0.02);
        Assert.InRange(PageResidual.Of(Rows(KvSide.Values), page.Decode(KvSide.Values)), 1e-4, 0.02);
    }

    private static LayerPage NewPage(IKvCodec codec) => new(codec, Shape, (Rows(KvSide.Keys), Rows(KvSide.Values)), start: 640);

    private static float[] Rows(KvSide side) => TestXQuant.Uniform(64 * Channels, 20 + (int)side);

    // Keys [latents, 64], values [64, latents], rounded to halves, at position 640.
    private static unsafe float[] Latents(KvSide side, float[] rows)
    {
        var tables = new XQuantTables(TestXQuant.Setup(Shape));
        var buffers = new PartBuffers(Channels, Shape.HeadDim, tables.Angles.Width);
        new PartCoder<ScalarLanes, float, Latent8>(tables, buffers).Project(side, rows, new PartSite(Unit, 0, 640));
        float[] latents = new ReadOnlySpan<float>(buffers.Turned, 64 * Channels).ToArray();
        GC.KeepAlive(buffers);
        return latents;
    }

    // Keys of both heads from unquantised latents.
    private static unsafe float[] Rematerialised(KvSide side, float[] rows)
    {
        float[] latents = GC.AllocateUninitializedArray<float>(64 * Channels, pinned: true);
        Latents(side, rows).CopyTo(latents, 0);
        var tables = new XQuantTables(TestXQuant.Setup(Shape));
        float[] tile = GC.AllocateArray<float>(64 * 64, pinned: true);
        float[] back = new float[rows.Length];
        for (int head = 0; head < 2; head++)
        {
            fixed (float* x = latents)
            fixed (float* keys = tile)
            {
                KeyTiles.Product(tables.Head(side, head), x, keys).Set<ScalarLanes, float>(64);
                KeyTurn<ScalarLanes, float>.Run(tables.Head(side, head), new SlotPositions(640, null), keys);
            }
            for (int i = 0; i < tile.Length; i++)
            {
                back[(head * tile.Length) + (i % 64 * 64) + (i / 64)] = tile[i];
            }
        }
        GC.KeepAlive(tables);
        return back;
    }

    private static void AssertRequantised(KvSide side, (string Name, byte[] Part) from, (string Name, byte[] Part) to)
    {
        (float[] source, _) = Read(side, from.Name[2] - '0', from.Part);
        (_, byte[] codes) = Read(side, to.Name[2] - '0', to.Part);
        int group = side == KvSide.Keys ? 64 : Channels;
        float[] halves = [.. source.Select(value => (float)(Half)value)];
        byte[] expected = new byte[codes.Length];
        for (int first = 0; first < codes.Length; first += group)
        {
            Assert.True(RowQuantizer.TryQuantise(halves.AsSpan(first, group), new(to.Name[2] - '0', 1f), expected.AsSpan(first), out _));
        }
        Assert.Equal(expected, codes);
    }

    private static (float[] Latents, byte[] Codes) Read(KvSide side, int bits, ReadOnlySpan<byte> part)
    {
        byte[] codes = new byte[64 * Channels];
        LatentPlanes.Unpack(side, bits, LatentPlanes.Words(part), codes);
        uint[] scales = LatentPlanes.Words(part)[LatentPlanes.CodeWords(Channels, bits)..].ToArray();
        return ([.. codes.Select((code, i) =>
        {
            (float scale, float minimum) = LatentScale.Of(scales[side == KvSide.Keys ? i / 64 : i / Channels]);
            return (code * scale) + minimum;
        })], codes);
    }
}
