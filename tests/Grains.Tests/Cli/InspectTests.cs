using Concertina.Cli;
using Concertina.Cli.Inspecting;
using Concertina.Compute.Inspection;
using Concertina.Compute.KvCache;
using Concertina.Compute.Model;
using Concertina.Compute.Profile;

namespace Concertina.Grains.Tests.Cli;

public sealed class InspectTests
{
    [Fact]
    public void A_model_is_shown_with_its_shape_weights_hash_rungs_and_kernels()
    {
        using TemporaryFolder folder = new();
        string path = Copied(folder);
        string[] lines = Lines(path, ExitCode.Success);
        using var model = ModelFile.Open(path);
        Has(lines, "architecture", "llama");
        Has(lines, "heads", "4 for queries, 2 for keys and values, of 64 channels");
        Has(lines, "context", "8,192 tokens");
        Has(lines, "vocabulary", "4,096 tokens");
        Has(lines, "parameters", model.ParameterCount.ToString("N0", System.Globalization.CultureInfo.InvariantCulture));
        Has(lines, "weights", "Q8_0");
        Has(lines, "content hash", model.ContentHash);
        Has(lines, "KV, lossless", "4,096 bytes/token");
        Has(lines, "KV profile", "none beside the model");
        Has(lines, "int2", "-");
        Has(lines, "kernels", MachineFacts.Here.Matrices.ToString());
        Has(lines, "instructions", "AVX-512");
    }

    [Fact]
    public void The_profile_beside_a_model_gives_the_rungs_their_measures()
    {
        using TemporaryFolder folder = new();
        string path = Copied(folder);
        Profile(path).Save(KvProfile.PathFor(path));
        string[] lines = Lines(path, ExitCode.Success);
        Has(lines, "int4", "0.0625  75.0 %  yes");
        Has(lines, "int2", "0.5       -  no");
        Assert.DoesNotContain(lines, line => line.StartsWith("int8", StringComparison.Ordinal));
    }

    [Fact]
    public void A_profile_of_another_model_is_named_and_the_process_says_so()
    {
        using TemporaryFolder folder = new();
        string path = Copied(folder);
        KvProfile other = Profile(path);
        new KvProfile { ModelHash = new string('0', 64), Shape = other.Shape, Calibration = other.Calibration, Rungs = other.Rungs }.Save(KvProfile.PathFor(path));
        Has(Lines(path, ExitCode.Model), "KV profile", "cannot be used");
    }

    [Fact]
    public void A_profile_is_shown_with_its_model_calibration_and_every_rung()
    {
        using TemporaryFolder folder = new();
        string path = folder.File("m.kvprofile.safetensors");
        KvProfile profile = Profile(Copied(folder));
        profile.Save(path);
        string[] lines = Lines(path, ExitCode.Success);
        Has(lines, "intact", "yes");
        Has(lines, "model hash", profile.ModelHash);
        Has(lines, "shape", "8 layers, 2 KV heads with 2 query heads each, of 64 channels");
        Has(lines, "calibrated on", "16,384 tokens, seed 7; rungs measured on 7,936 others");
        Has(lines, "codebooks", "none");
        Has(lines, "int4", "1246.2");
        Has(lines, "int2", "  no");
    }

    [Fact]
    public void A_damaged_profile_is_said_not_to_be_intact()
    {
        using TemporaryFolder folder = new();
        string path = folder.File("m.kvprofile.safetensors");
        Profile(Copied(folder)).Save(path);
        byte[] bytes = File.ReadAllBytes(path);
        bytes[Array.LastIndexOf(bytes, (byte)'7')] = (byte)'8';
        File.WriteAllBytes(path, bytes);
        CliException problem = Assert.Throws<CliException>(() => InspectCommand.Lines(path));
        Assert.Equal(ExitCode.Model, problem.ExitCode);
        Assert.Contains("not intact", problem.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Hello, world", "neither a GGUF model nor a KV profile")]
    [InlineData("", "empty")]
    [InlineData("{ }", "neither")]
    public void Any_other_file_is_refused_with_what_it_begins_with(string content, string said)
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder.File("x.txt"), content);
        CliException problem = Assert.Throws<CliException>(() => InspectCommand.Lines(folder.File("x.txt")));
        Assert.Equal(ExitCode.Usage, problem.ExitCode);
        Assert.Contains(said, problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_file_and_a_damaged_model_are_named()
    {
        using TemporaryFolder folder = new();
        Assert.Equal(ExitCode.Usage, Assert.Throws<CliException>(() => InspectCommand.Lines(folder.File("none.gguf"))).ExitCode);
        File.WriteAllText(folder.File("m.gguf"), "GGUF and no more");
        CliException problem = Assert.Throws<CliException>(() => InspectCommand.Lines(folder.File("m.gguf")));
        Assert.Equal(ExitCode.Model, problem.ExitCode);
        Assert.Contains("m.gguf", problem.Message, StringComparison.Ordinal);
    }

    private static string Copied(TemporaryFolder folder)
    {
        string path = folder.File("demo.gguf");
        File.Copy(Demo(), path, overwrite: true);
        return path;
    }

    private static string Demo()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Concertina.slnx")))
        {
            folder = folder.Parent;
        }
        Assert.NotNull(folder);
        return Path.Combine(folder.FullName, "models", "demo", "demo-q8_0.gguf");
    }

    private static KvProfile Profile(string model)
    {
        using var file = ModelFile.Open(model);
        KvShape shape = file.Config.ToKvShape();
        return new KvProfile
        {
            ModelHash = file.ContentHash,
            Shape = shape,
            Calibration = new CalibrationFacts(7, new string('b', 64), 16_384, 7_936),
            Rungs =
            [
                new RungMeasure { Name = "f16", OnLadder = true, BytesPerToken2K = 4098, BytesPerToken8K = 4098 },
                new RungMeasure { Name = "int4", OnLadder = true, BytesPerToken2K = 1430, BytesPerToken8K = 1246.2, MeanKl = 0.0625, P99Kl = 0.1, Recall = 0.75 },
                new RungMeasure { Name = "int2", BytesPerToken2K = 966, BytesPerToken8K = 750, MeanKl = 0.5, P99Kl = 1 },
            ],
        };
    }

    private static string[] Lines(string path, int exitCode)
    {
        (IReadOnlyList<string> lines, int returned) = InspectCommand.Lines(path);
        Assert.Equal(exitCode, returned);
        return [.. lines];
    }

    private static void Has(string[] lines, string start, string part) => Assert.Contains(
        lines, line => line.StartsWith(start, StringComparison.Ordinal) && line.Contains(part, StringComparison.Ordinal));
}
