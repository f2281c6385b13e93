using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Codecs;
using Concertina.Compute.KvCache.Codecs.Fourier;
using Concertina.Compute.KvCache.Memory;

namespace Concertina.Compute.Tests.KvCache.Codecs.Fourier;

/// <summary>What the codecs store, take, refuse and declare.</summary>
public sealed class FourierCodecTests
{
    private const int HeadDim = 32;
    private static readonly int[] OrderCounts = [16, 32, 64, 128, 256];
    private static readonly UnitShape Shape = UnitShape.Segment(new KvShape(1, 1, 1, HeadDim), 4);

    [Fact]
    public void All_orders_of_all_channels_lose_only_the_rounding_to_halves()
    {
        IKvCodec codec = TestFourier.Get("fourier16", TestFourier.Setup(1, HeadDim, (32, 64), (32, 64)));
        float[] rows = TestFourier.Signal(64, HeadDim, seed: 1);

        Segment segment = new(codec, HeadDim, (rows, rows));

        Assert.InRange(PageResidual.Of(rows, segment.Decode(KvSide.Keys)), 1e-6, 1e-3);
        Assert.InRange(PageResidual.Of(rows, segment.Decode(KvSide.Values)), 1e-6, 1e-3);
    }

    [Fact]
    public void More_orders_never_lose_more()
    {
        float[] rows = TestFourier.Signal(256, HeadDim, seed: 2);
        double[] residuals = [.. OrderCounts.Select(orders =>
        {
            IKvCodec codec = TestFourier.Get("fourier16", TestFourier.Setup(4, HeadDim, (16, orders), (16, orders)));
            return PageResidual.Of(rows, new Segment(codec, HeadDim, (rows, rows)).Decode(KvSide.Keys));
        })];

        Assert.Equal(residuals.OrderDescending(), residuals);
        Assert.True(residuals[0] > 10 * residuals[^1]);
    }

    [Fact]
    public void Constant_channels_come_back_from_their_mean_alone()
    {
        IKvCodec codec = TestFourier.Get("fourier4", TestFourier.Setup(4, HeadDim, (32, 16), (32, 16)));
        float[] rows = [.. Enumerable.Range(0, 256 * HeadDim).Select(i => (i % HeadDim) - 7.5f)];

        float[] decoded = new Segment(codec, HeadDim, (rows, rows)).Decode(KvSide.Values);

        Assert.All(rows.Zip(decoded), pair => Assert.InRange(pair.Second - pair.First, -1e-4f, 1e-4f));
    }

    [Fact]
    public void Bytes_are_orders_of_compressed_channels_and_pages_of_the_others()
    {
        FourierSetup setup = TestFourier.Setup(4, HeadDim, (16, 32), (16, 64));
        UnitShape page = UnitShape.HeadPage(new KvShape(1, 1, 1, 16));
        foreach ((string name, string kept) in new[] { ("fourier16", "f16"), ("fourier8", "int8"), ("fourier4", "int4") })
        {
            IKvCodec codec = TestFourier.Get(name, setup);
            Assert.Equal((2 * 16 * 32) + (4 * CodecCatalog.Find(kept)!.PartBytes(KvSide.Keys, page)), codec.PartBytes(KvSide.Keys, Shape));
            Assert.Equal((2 * 16 * 64) + (4 * CodecCatalog.Find(kept)!.PartBytes(KvSide.Values, page)), codec.PartBytes(KvSide.Values, Shape));
        }
    }

    [Fact]
    public void Values_that_are_not_finite_are_said_and_segments_are_not_cut_inside()
    {
        IKvCodec codec = TestFourier.Get("fourier8", TestFourier.Setup(4, HeadDim, (16, 32), (16, 32)));
        foreach (float bad in new[] { float.NaN, float.PositiveInfinity })
        {
            // One channel of each list, whichever they are.
            for (int channel = 0; channel < HeadDim; channel++)
            {
                float[] rows = TestFourier.Signal(256, HeadDim, seed: 3);
                rows[(100 * HeadDim) + channel] = bad;
                Assert.False(codec.Encode(KvSide.Keys, rows, new PartSite(Shape, 0, 0), new byte[codec.PartBytes(KvSide.Keys, Shape)]));
            }
        }
        Assert.Equal(0, codec.Truncate(KvSide.Keys, [], Shape, 255));
        Assert.Equal(256, codec.Truncate(KvSide.Keys, [], Shape, 256));
    }

    [Fact]
    public void What_does_not_fit_is_refused_with_the_numbers()
    {
        FourierSetup setup = TestFourier.Setup(4, HeadDim, (16, 32), (16, 32));
        IKvCodec codec = TestFourier.Get("fourier4", setup);

        Assert.Equal([CodecId.F32, CodecId.F16, CodecId.Int8, CodecId.Int4], Enum.GetValues<CodecId>().Where(codec.Accepts));
        Assert.Contains("256 slots of 32", Assert.Throws<ArgumentException>(
            () => codec.PartBytes(KvSide.Keys, UnitShape.Segment(new KvShape(1, 1, 1, HeadDim), 8))).Message);
        Assert.Contains("256 slots", Assert.Throws<ArgumentException>(() => codec.Encode(
            KvSide.Keys, new float[257 * HeadDim], new PartSite(Shape, 0, 0), new byte[codec.PartBytes(KvSide.Keys, Shape)])).Message);
        Assert.Contains("not 3", Assert.Throws<ArgumentException>(() => new FourierSetup(3, setup.Keys, setup.Values)).Message);
        Assert.Contains("not 80", Assert.Throws<ArgumentException>(() => TestFourier.Setup(1, HeadDim, (16, 80), (16, 16))).Message);
        int[] even = [.. Enumerable.Range(0, 16).Select(i => 2 * i)];
        Assert.Contains("ascend", Assert.Throws<ArgumentException>(() => new FourierChannels(HeadDim, 16, [[.. even.Reverse()]])).Message);
        Assert.Contains("equally many", Assert.Throws<ArgumentException>(() => new FourierChannels(HeadDim, 16, [even, []])).Message);
    }

    [Fact]
    public void Lists_of_a_head_are_disjoint_and_complete()
    {
        foreach (int compressed in new[] { 0, 16, 32 })
        {
            FourierChannels channels = TestFourier.Setup(4, HeadDim, (compressed, 16), (16, 16)).Keys;
            for (int head = 0; head < 2; head++)
            {
                Assert.Equal(Enumerable.Range(0, HeadDim), channels.Compressed(head).ToArray().Concat(channels.Kept(head).ToArray()).Order());
            }
        }
    }
}
