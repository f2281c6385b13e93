using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Codecs.CommVq;
using Concertina.Compute.Profile;
using Concertina.Compute.Tests.KvCache.Codecs.CommVq;

namespace Concertina.Compute.Tests.Profile;

public sealed class KvProfileTests : IDisposable
{
    private static readonly KvShape Shape = new(1, 2, 4, 16);
    private readonly string _folder = Directory.CreateTempSubdirectory("kvprofile").FullName;

    [Fact]
    public void What_is_saved_is_loaded_and_the_same_profile_gives_the_same_bytes()
    {
        KvProfile profile = Sample();
        string path = Path.Combine(_folder, "m.kvprofile.safetensors");

        profile.Save(path);
        KvProfile loaded = KvProfile.Load(path, "abc123", Shape);

        Assert.Equal(profile.ToBytes(), loaded.ToBytes());
        Assert.Equal(profile.Rungs, loaded.Rungs);
        Assert.Equal(profile.Calibration, loaded.Calibration);
        Assert.Equal(profile.Books!.Version, loaded.Books!.Version);
        Assert.Equal([path], Directory.GetFiles(_folder));
    }

    [Fact]
    public void A_profile_of_another_model_or_shape_is_refused_by_name()
    {
        string path = Path.Combine(_folder, "m.kvprofile.safetensors");
        Sample().Save(path);

        Assert.Contains("abc123", Assert.Throws<KvProfileException>(() => KvProfile.Load(path, "fff", Shape)).Message);
        Assert.Contains("calibrate", Assert.Throws<KvProfileException>(() => KvProfile.Load(path, "abc123", Shape with { HeadDim = 32 })).Message);
    }

    [Fact]
    public void Every_truncation_is_refused()
    {
        byte[] bytes = Sample().ToBytes();
        for (int length = 0; length < bytes.Length; length += length < 2_000 ? 1 : 97)
        {
            Assert.Throws<KvProfileException>(() => KvProfile.Parse(bytes.AsMemory(0, length)));
        }
        Assert.Throws<KvProfileException>(() => KvProfile.Parse((byte[])[.. bytes, 0]));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_flipped_bit_is_refused_or_changes_nothing(int seed)
    {
        byte[] bytes = Sample().ToBytes();
        var random = new Random(seed);
        for (int round = 0; round < 500; round++)
        {
            // Half of the flips hit the header, where most can go wrong.
            int at = random.Next(round % 2 == 0 ? 1_500 : bytes.Length);
            byte[] flipped = [.. bytes];
            flipped[at] ^= (byte)(1 << random.Next(8));
            try
            {
                Assert.Equal(bytes, KvProfile.Parse(flipped).ToBytes());
            }
            catch (KvProfileException)
            {
                // Refused: as it should be.
            }
        }
    }

    [Fact]
    public void A_measure_that_is_no_number_is_refused()
    {
        KvProfile profile = Sample();
        KvProfile wrong = new()
        {
            ModelHash = profile.ModelHash,
            Shape = profile.Shape,
            Calibration = profile.Calibration,
            Rungs = [profile.Rungs[1] with { MeanKl = -1 }],
        };

        Assert.Contains("int4", Assert.Throws<KvProfileException>(() => KvProfile.Parse(wrong.ToBytes())).Message);
    }

    [Fact]
    public void Its_place_is_beside_the_model() =>
        Assert.Equal(Path.Combine("models", "demo-q8_0.kvprofile.safetensors"), KvProfile.PathFor(Path.Combine("models", "demo-q8_0.gguf")));

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static KvProfile Sample() => new()
    {
        ModelHash = "abc123",
        Shape = Shape,
        Calibration = new CalibrationFacts(1, "texthash", 1000, 500),
        Rungs =
        [
            new RungMeasure { Name = "f16", OnLadder = true, BytesPerToken2K = 100, BytesPerToken8K = 99 },
            new RungMeasure { Name = "int4", OnLadder = true, BytesPerToken2K = 40, BytesPerToken8K = 30, MeanKl = 0.001, P99Kl = 0.01, Recall = 0.9, AttendNs = 3, EncodeNs = 100 },
        ],
        Books = TestCommVq.Trained(new CommVqShape(16, 6, 16, 8), 16),
    };
}
