using Concertina.Compute.Attention;
using Concertina.Compute.Kernels;
using Concertina.Compute.KvCache;
using Concertina.Compute.Model;
using Concertina.Compute.Model.Cpu;
using Concertina.Compute.Model.Weights;
using Concertina.Compute.Tests.Kernels;

namespace Concertina.Compute.Tests.Model;

/// <summary>
/// The row law, bitwise: decoding one by one, prefill in any chunks, any batch composition and any thread count give the
/// same logits, prefix hits change nothing, and so does every kernel path of matrices and attention. The paths of the element-wise
/// kernels and of the quantiser are compared where those are tested, because the machine alone chooses between them.
/// </summary>
public sealed class RowLawTests
{
    private const int Length = 150; // beyond two pages

    public static TheoryData<string, TensorType> Models()
    {
        TheoryData<string, TensorType> models = [];
        foreach (string shape in (string[])["1 head", "group 3", "group 4", "odd widths", "group 3, dms"])
        {
            foreach (TensorType type in Enum.GetValues<TensorType>())
            {
                models.Add(shape, type);
            }
        }
        return models;
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Any_chunks_any_batch_and_any_thread_count_give_the_same_bits(string shape, TensorType type)
    {
        using RandomModel model = RandomModel.Create(TinyShapes.Find(shape), type, seed: 42);
        int[] tokens = Tokens(model.Config, Length, seed: 1);
        float[][] expected = OneByOne(model, tokens);
        Assert.True(expected[^1].Distinct().Count() > 10, "the logits are degenerate");
        CheckChunks(model, tokens, expected);
        CheckBatches(model, tokens, expected);
        CheckPaths(model, tokens, expected);
        CheckPrefixHit(model, tokens, expected);
    }

    [Fact]
    public void Splitting_pages_among_threads_changes_no_bit()
    {
        const int whole = 1010;
        using RandomModel model = RandomModel.Create(TinyShapes.Find("group 4"), TensorType.Q80, seed: 42);
        int[] tokens = Tokens(model.Config, 1100, seed: 5); // beyond the 1,024 positions of a split
        float[][] expected = OneByOne(model, tokens);
        foreach (int threads in (int[])[1, 2, 5])
        {
            using Harness harness = new(model, new CpuRunnerOptions { MaxStepRows = whole, MaxLogitRows = 64, Threads = threads });
            AttentionPlan plan = new(model.Config.ToKvShape(), whole, threads);
            PageTable table = harness.NewTable();
            harness.Add(table, 0, tokens.AsSpan(0, whole), 0);
            harness.Run();
            int splitSteps = 0;
            for (int position = whole, count; position < tokens.Length; position += count)
            {
                count = Math.Min(position % 3 == 0 ? 1 : 23, tokens.Length - position);
                harness.Add(table, position, tokens.AsSpan(position, count), count);
                plan.Make(harness.Batch);
                splitSteps += plan.SplitChunkCount > 0 ? 1 : 0;
                Same(expected[position..(position + count)], harness.Run(), $"{threads} threads, position {position}");
            }
            Assert.True(threads == 1 ? splitSteps == 0 : splitSteps >= 3, $"{splitSteps} steps were split among {threads} threads");
        }
    }

    [Fact]
    public void The_demo_model_obeys_the_law()
    {
        foreach (string path in (string[])[DemoModel.Q8, DemoModel.F16])
        {
            using ModelFile file = ModelFile.Open(path);
            int[] tokens = Tokens(file.Config, 140, seed: 2);
            float[][] expected = OneByOne(file, tokens);
            CheckChunks(file, tokens, expected);
            CheckBatches(file, tokens, expected);
        }
    }

    private static float[][] OneByOne(ModelSource model, int[] tokens)
    {
        using Harness harness = new(model);
        return harness.Feed(tokens, 1);
    }

    private static void CheckChunks(ModelSource model, int[] tokens, float[][] expected)
    {
        foreach (int threads in (int[])[1, 4])
        {
            using Harness harness = new(model, new CpuRunnerOptions { MaxStepRows = 256, MaxLogitRows = 256, Threads = threads });
            foreach (int[] chunks in (int[][])[[tokens.Length], [64], [1, 5, 17], [3, 2], [100, 1]])
            {
                Same(expected, harness.Feed(tokens, chunks), $"{threads} threads, chunks of {string.Join('/', chunks)}");
            }
        }
    }

    private static void CheckBatches(ModelSource model, int[] tokens, float[][] expected)
    {
        // Our sequence in chunks of 7, beside three others that decode, prefill and start late.
        using Harness harness = new(model, new CpuRunnerOptions { MaxStepRows = 64, MaxLogitRows = 64, Threads = 3 });
        int[] others = Tokens(model.Config, 400, seed: 3);
        PageTable[] tables = [.. Enumerable.Range(0, 4).Select(_ => harness.NewTable())];
        List<float[]> ours = [];
        Random random = new(4);
        int[] positions = new int[4];
        while (positions[0] < tokens.Length)
        {
            int[] order = [0, 1, 2, 3];
            random.Shuffle(order);
            int firstLogit = 0;
            int logitsBefore = 0;
            foreach (int sequence in order)
            {
                int count = sequence switch { 0 => Math.Min(7, tokens.Length - positions[0]), 1 => 1, 2 => 1 + random.Next(12), _ => random.Next(3) };
                count = sequence == 0 ? count : Math.Min(count, others.Length - positions[sequence]);
                if (count == 0)
                {
                    continue;
                }
                int[] source = sequence == 0 ? tokens : others;
                int logits = sequence == 0 ? count : sequence % 2;
                firstLogit = sequence == 0 ? logitsBefore : firstLogit;
                logitsBefore += logits;
                harness.Add(tables[sequence], positions[sequence], source.AsSpan(positions[sequence], count), logits);
                positions[sequence] += count;
            }
            int rows = ours.Count == 0 ? positions[0] : positions[0] - ours.Count;
            ours.AddRange(harness.Run().AsSpan(firstLogit, rows));
        }
        Same(expected, [.. ours], "in a mixed batch");
    }

    private static void CheckPaths(ModelSource model, int[] tokens, float[][] expected)
    {
        foreach (KernelPath path in Enum.GetValues<KernelPath>().Where(KernelPaths.IsSupported))
        {
            using Harness harness = new(model, new CpuRunnerOptions { MaxStepRows = 256, MaxLogitRows = 256, Threads = 2, Path = path });
            Same(expected, harness.Feed(tokens, 64), $"kernel path {path}");
        }
    }

    private static void CheckPrefixHit(ModelSource model, int[] tokens, float[][] expected)
    {
        using Harness harness = new(model);
        PrefixScope scope = PrefixScope.For("tenant", null);
        PageTable first = harness.NewTable();
        harness.Add(first, 0, tokens.AsSpan(0, 140), 0);
        harness.Run();
        harness.Cache.Publish(first, scope, tokens.AsSpan(0, 140));
        PageTable second = harness.NewTable();
        int adopted = harness.Cache.Adopt(second, scope, tokens, deepestRung: 0);
        Assert.Equal(2 * KvShape.PageTokens, adopted);
        harness.Cache.Release(first);
        harness.Add(second, adopted, tokens.AsSpan(adopted, 9), 9);
        float[][] actual = harness.Run();
        harness.Add(second, adopted + 9, tokens.AsSpan(adopted + 9), tokens.Length - adopted - 9);
        Same(expected[adopted..], [.. actual, .. harness.Run()], "after a prefix hit");
    }

    private static void Same(float[][] expected, float[][] actual, string how)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int row = 0; row < expected.Length; row++)
        {
            Assert.True(TensorFactory.Bits(expected[row]).SequenceEqual(TensorFactory.Bits(actual[row])), $"row {row} differs: {how}");
        }
    }

    private static int[] Tokens(ModelConfig config, int count, int seed)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(config.VocabularySize))];
    }
}
