using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Codecs;
using Concertina.Compute.KvCache.Codecs.XQuant;
using Concertina.Compute.KvCache.Memory;

namespace Concertina.Compute.Tests.KvCache.Codecs.XQuant;

/// <summary>What the codecs take, refuse and declare.</summary>
public sealed class XQuantContractTests
{
    private const int Channels = 128;
    private static readonly KvShape Shape = new(1, 2, 2, 64);
    private static readonly UnitShape Unit = UnitShape.LayerPage(Shape);

    [Fact]
    public void Sources_are_those_that_lose_less()
    {
        (string, CodecId[])[] expected =
        [
            ("xq8", [CodecId.F32, CodecId.F16, CodecId.Int8]),
            ("xq4", [CodecId.F32, CodecId.F16, CodecId.Int8, CodecId.XQuant8]),
            ("xq3", [CodecId.F32, CodecId.F16, CodecId.Int8, CodecId.Int4, CodecId.XQuant8, CodecId.XQuant4]),
            ("xq2", [CodecId.F32, CodecId.F16, CodecId.Int8, CodecId.Int4, CodecId.XQuant8, CodecId.XQuant4]),
        ];
        foreach ((string name, CodecId[] sources) in expected)
        {
            IKvCodec codec = TestXQuant.Get(name, Shape);
            Assert.Equal(sources, Enum.GetValues<CodecId>().Where(codec.Accepts));
        }
        foreach (IKvCodec other in CodecCatalog.All)
        {
            Assert.DoesNotContain(Enum.GetValues<CodecId>().Where(other.Accepts), id => id is >= CodecId.XQuant8 and <= CodecId.XQuant2);
        }
        Assert.False(TestXQuant.Get("xq8", Shape).TryConvert(KvSide.Keys, CodecId.XQuant4, new byte[1], new byte[1], Unit));
        Assert.False(TestXQuant.Get("xq4", Shape).TryConvert(KvSide.Keys, CodecId.F16, new byte[1], new byte[1], Unit));
    }

    [Fact]
    public void A_value_that_is_not_finite_is_said()
    {
        foreach (float bad in new[] { float.NaN, float.PositiveInfinity })
        {
            float[] rows = TestXQuant.Uniform(64 * Channels, 21);
            rows[500] = bad;
            byte[] part = new byte[TestXQuant.Get("xq4", Shape).PartBytes(KvSide.Keys, Unit)];
            foreach (KvSide side in Enum.GetValues<KvSide>())
            {
                Assert.False(TestXQuant.Get("xq4", Shape).Encode(side, rows, new PartSite(Unit, 0, 0), part));
            }
        }
    }

    [Fact]
    public void What_cannot_be_served_is_refused_with_the_reason()
    {
        XQuantSetup setup = TestXQuant.Setup(Shape);

        Assert.Contains("normalises keys", Assert.Throws<ArgumentException>(() => XQuantCodecs.Make(setup with { NormalisesKeys = true })).Message);
        Assert.Contains("1 layers", Assert.Throws<ArgumentException>(() => XQuantCodecs.Make(setup with { Shape = Shape with { LayerCount = 2 } })).Message);
        IKvCodec codec = TestXQuant.Get("xq4", Shape);
        Assert.Contains("layer pages", Assert.Throws<ArgumentException>(() => codec.PartBytes(KvSide.Keys, UnitShape.HeadPage(Shape))).Message);
        byte[] part = new byte[codec.PartBytes(KvSide.Keys, Unit)];
        Assert.Contains("64 slots of 128", Assert.Throws<ArgumentException>(
            () => codec.Encode(KvSide.Keys, new float[65 * Channels], new PartSite(Unit, 0, 0), part)).Message);
        Assert.Contains("64 slots of 64", Assert.Throws<ArgumentException>(
            () => codec.Decode(KvSide.Keys, part, new PartSite(Unit, 0, 0), new float[65 * 64])).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => codec.Encode(KvSide.Keys, TestXQuant.Uniform(64 * Channels, 20), new PartSite(Unit, 0, 4096), part));
        float[] matrix = [1f, 0f, 0f, 1f];
        float[] broken = [1f, float.NaN, 0f, 1f];
        (float[] ascending, float[] descending) = ([1f, 2f], [2f, 1f]);
        Assert.Contains("descending", Assert.Throws<ArgumentException>(() => new LatentMap(ascending, matrix)).Message);
        Assert.Throws<ArgumentException>(() => new LatentMap(descending, broken));
        Assert.Throws<ArgumentException>(() => new LatentMap(descending, matrix, descending.AsMemory(1)));
    }

    [Fact]
    public void Weak_latents_are_not_stored()
    {
        float[] sigma = [2f, 1f, 2.1e-3f, 1.9e-3f];

        Assert.Equal(3, new LatentMap(sigma, new float[4 * Channels]).StoredRank);
    }

    [Fact]
    public void The_tables_are_declared_once()
    {
        Assert.True(TestXQuant.Get("xq8", Shape).ModelBytes(KvSide.Keys) > sizeof(float) * 2 * Channels * Channels);
        Assert.Equal(0, TestXQuant.Get("xq4", Shape).ModelBytes(KvSide.Keys));
        Assert.True(TestXQuant.Get("xq4", Shape).ScratchBytes(KvSide.Keys, Unit) > 0);
    }
}
