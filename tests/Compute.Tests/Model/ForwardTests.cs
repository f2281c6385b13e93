using Concertina.Compute.KvCache;
using Concertina.Compute.Model;
using Concertina.Compute.Model.Cpu;
using Concertina.Compute.Model.Weights;

namespace Concertina.Compute.Tests.Model;

public sealed class ForwardTests
{
    [Theory]
    [InlineData("1 head")]
    [InlineData("group 3")]
    [InlineData("group 4")]
    [InlineData("odd widths")]
    [InlineData("group 4, dms")]
    [InlineData("odd widths, dms")]
    public void Logits_agree_with_a_plain_binary64_transformer(string shape)
    {
        using RandomModel model = RandomModel.Create(TinyShapes.Find(shape), TensorType.F32, seed: 7);
        using Harness harness = new(model);
        Random random = new(8);
        int[] tokens = [.. Enumerable.Range(0, 90).Select(_ => random.Next(model.Config.VocabularySize))];
        float[][] actual = harness.Feed(tokens, 13);
        double[][] expected = new PlainTransformer(model).Logits(tokens);
        for (int row = 0; row < tokens.Length; row++)
        {
            for (int token = 0; token < expected[row].Length; token++)
            {
                Assert.InRange(actual[row][token], expected[row][token] - 2e-3, expected[row][token] + 2e-3);
            }
        }
    }

    [Fact]
    public void Only_rows_that_want_logits_get_them()
    {
        using RandomModel model = RandomModel.Create(TinyShapes.Find("group 4"), TensorType.Q80, seed: 1);
        using Harness harness = new(model);
        int[] tokens = [.. Enumerable.Range(0, 40)];
        float[][] all = harness.Feed(tokens, 40);
        PageTable first = harness.NewTable();
        PageTable second = harness.NewTable();
        harness.Add(first, 0, tokens, 3);
        harness.Add(second, 0, tokens.AsSpan(0, 10), 0);
        harness.Add(second, 10, tokens.AsSpan(10, 5), 1);
        float[][] some = harness.Run();
        Assert.Equal([all[37], all[38], all[39], all[14]], some);
    }

    [Fact]
    public void Bad_steps_are_refused_before_anything_is_written()
    {
        using RandomModel model = RandomModel.Create(TinyShapes.Find("group 4"), TensorType.Q80, seed: 1);
        using Harness harness = new(model, new CpuRunnerOptions { MaxStepRows = 4, MaxLogitRows = 1, Threads = 1 });
        PageTable table = harness.NewTable();
        StepBatch unreserved = new(4, 1, model.Config.VocabularySize);
        unreserved.Add(table, 64, [1], 1);
        Assert.Contains("position 65", Refusal(harness, unreserved), StringComparison.Ordinal);
        Assert.True(harness.Cache.TryReserve(table, 8));
        StepBatch foreign = new(4, 1, model.Config.VocabularySize);
        foreign.Add(table, 0, [model.Config.VocabularySize], 1);
        Assert.Contains($"Token id {model.Config.VocabularySize}", Refusal(harness, foreign), StringComparison.Ordinal);
        StepBatch large = new(8, 1, model.Config.VocabularySize);
        large.Add(table, 0, [1, 2, 3, 4, 5], 1);
        Assert.Contains("5 rows", Refusal(harness, large), StringComparison.Ordinal);
    }

    [Fact]
    public void Weights_are_in_memory_once()
    {
        using ModelFile file = ModelFile.Open(DemoModel.Q8);
        using Harness harness = new(file);
        long elements = file.ParameterCount;
        Assert.InRange(harness.Runner.WeightBytes, elements * 34 / 32, (elements * 34 / 32) + (1 << 17));
        Assert.Equal($"f16kv+q8_0+cpu-{file.ContentHash[..16]}", harness.Runner.DeterminismClass);
    }

    [Theory]
    [InlineData("group 4", TensorType.Q80)]
    [InlineData("group 3", TensorType.Q80)]
    [InlineData("odd widths", TensorType.F32)]
    [InlineData("group 3, dms", TensorType.Q80)]
    public void Step_memory_is_known_before_it_is_allocated(string shape, TensorType type)
    {
        using RandomModel model = RandomModel.Create(TinyShapes.Find(shape), type, seed: 1);
        CpuRunnerOptions options = new() { MaxStepRows = 48, MaxLogitRows = 5, Threads = 3 };
        using Harness harness = new(model, options);
        Assert.Equal((48, 5), (harness.Runner.MaxRows, harness.Runner.MaxLogitRows));
        long foretold = CpuModelRunner.ScratchBytesFor(model.Config, options);
        Assert.InRange(harness.Runner.ScratchBytes, 1, foretold);
        Assert.True(type != TensorType.Q80 || foretold == harness.Runner.ScratchBytes, $"{foretold} bytes, not {harness.Runner.ScratchBytes}");
        long logitBytes = 5L * model.Config.VocabularySize * sizeof(float);
        Assert.InRange(harness.Batch.Bytes, logitBytes + (48 * 8), logitBytes + (48 * 64));
    }

    [Theory]
    [InlineData("f16")]
    [InlineData("f32")]
    public void The_determinism_class_names_the_codec_of_the_cache(string codec)
    {
        using RandomModel model = RandomModel.Create(TinyShapes.Find("group 4"), TensorType.F32, seed: 1);
        using Harness harness = new(model, codec: codec);
        Assert.StartsWith($"{codec}kv+f32+cpu-", harness.Runner.DeterminismClass, StringComparison.Ordinal);
    }

    [Fact]
    public void A_runner_that_cannot_be_made_leaves_no_thread_behind()
    {
        const int threads = 43; // more than any other test's pool has
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Names of threads are read from /proc.");
        using RandomModel model = RandomModel.Create(TinyShapes.Find("group 4"), TensorType.F32, seed: 1);
        using PagedKvCache cache = new(model.Config.ToKvShape(), new KvCacheOptions { BudgetBytes = 8 << 20 });
        CpuRunnerOptions options = new() { MaxStepRows = 4096, MaxLogitRows = 1, Threads = threads };
        ArgumentException refusal = Assert.Throws<ArgumentException>(() => CpuModelRunner.Create(model, cache, options));
        Assert.Contains("bytes", refusal.Message, StringComparison.Ordinal);
        IEnumerable<string> names = Directory.EnumerateDirectories("/proc/self/task").Select(NameOf);
        Assert.DoesNotContain(names, name => name == $"compute-{threads - 1}");
    }

    [Fact]
    public void A_cache_of_another_shape_is_refused()
    {
        using RandomModel model = RandomModel.Create(TinyShapes.Find("group 4"), TensorType.F32, seed: 1);
        using PagedKvCache cache = new(new KvShape(1, 1, 1, 16), new KvCacheOptions { BudgetBytes = 64 << 20 });
        Assert.Throws<ArgumentException>(() => CpuModelRunner.Create(model, cache, new CpuRunnerOptions()));
    }

    private static string NameOf(string task)
    {
        string file = Path.Combine(task, "comm");
        try
        {
            return File.ReadAllText(file).Trim();
        }
        catch (IOException)
        {
            return ""; // the thread ended between listing and reading
        }
    }

    private static string Refusal(Harness harness, StepBatch batch) =>
        Assert.Throws<ArgumentException>(() => harness.Runner.Forward(batch)).Message;
}
