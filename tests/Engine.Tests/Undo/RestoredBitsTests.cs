using Concertina.Compute.Engine;
using Concertina.Compute.KvCache;
using Concertina.Compute.Model;
using Concertina.Compute.Model.Cpu;
using Concertina.Compute.Model.Weights;
using Concertina.Compute.Profile;
using Concertina.Engine.Tests.Kit;
using Microsoft.Extensions.Time.Testing;

namespace Concertina.Engine.Tests.Undo;

/// <summary>A restored session has the bits of one that was never squeezed, from the swap on.</summary>
public sealed class RestoredBitsTests
{
    private const int PromptTokens = 420;
    private const int NewTokens = 240;
    private const int Marker = 1;

    [Theory]
    [InlineData("int2", TensorType.F32)]
    [InlineData("int4+evict2", TensorType.F32)]
    [InlineData("int4", TensorType.Q80)]
    public async Task Random_weights(string rung, TensorType type)
    {
        using RandomModel model = RandomModel.Create(TinyModel.Shape, type, seed: 7);
        using PagedKvCache cache = new(
            TinyModel.Shape.ToKvShape(), new KvCacheOptions { BudgetBytes = 96 << 20 }, CacheParts.WithoutProfile(rung));
        await Restore(model, cache, EngineLadder.Of(cache, profile: null), rung);
    }

    [Theory]
    [InlineData("commvq1")]
    [InlineData("int4")]
    public async Task The_demo_model(string rung)
    {
        string? path = DemoModelFile.Path();
        if (path is null)
        {
            Assert.Skip("models/demo is not in this checkout.");
        }
        using ModelFile file = ModelFile.Open(path);
        KvProfile profile = KvProfile.Load(KvProfile.PathFor(path), file.ContentHash, file.Config.ToKvShape());
        using PagedKvCache cache = ModelCache.Create(file, new KvCacheOptions { BudgetBytes = 256 << 20, Rungs = $"{rung}", GuardFactor = 0 }, profile);
        await Restore(file, cache, EngineLadder.Of(cache, profile), rung);
    }

    private static async Task Restore(ModelSource source, PagedKvCache cache, IReadOnlyList<KvRungFacts> ladder, string rung)
    {
        var runnerOptions = new CpuRunnerOptions { MaxStepRows = 128, MaxLogitRows = 32, Threads = 1 };
        using CpuModelRunner cpu = CpuModelRunner.Create(source, cache, runnerOptions);
        RecordingRunner runner = new(cpu, Marker);
        EngineOptions options = new() { StepTokens = 128, MaxRunning = 32, TranscodeSliceBytes = 1 << 28, ReaderBufferTokens = NewTokens, UndoShare = 0.4 };
        await using InferenceEngine engine = InferenceEngine.Manual(runner, cache, options, new FakeTimeProvider(), ladder);
        SequenceHandle handle = engine.Open(new SequenceIdentity("t/s", "t", PrefixScope.For("t", "own")));
        KvSpec kv = new() { FloorRung = rung };
        int[] prompt = [Marker, .. Tokens(source, PromptTokens - 1, seed: 3)];
        TokenStream stream = EngineBench.Submit(handle, new GenerationSpec { RequestId = "r", Prompt = prompt, MaxNewTokens = NewTokens, Kv = kv });
        // Others stream beside it: their rows are in the same steps.
        TokenStream[] others = [.. Enumerable.Range(0, 6).Select(i => EngineBench.Submit(
            engine.Open(new SequenceIdentity($"t/o{i}", "t", PrefixScope.For("t", $"{i}"))),
            new GenerationSpec { RequestId = $"o{i}", Prompt = Tokens(source, 6 + i, i), MaxNewTokens = 300 }))];
        List<int> read = [];

        Steps(8);
        Assert.True(engine.Assign("t/s", rung));
        Steps(30);
        Assert.Equal((rung, false), (handle.Rung, handle.Exact));
        Assert.True(engine.Assign("t/s", "f16"));
        for (int step = 0; step < 180 && engine.Snapshot.UndoneSequences == 0; step++)
        {
            Steps(1);
        }
        Assert.Equal((1L, true), (engine.Snapshot.UndoneSequences, handle.Exact));
        runner.Successor = ((OpenSequence)handle).Sequence.Table;
        int swappedAt = handle.WarmTokens;
        Steps(300);

        Assert.Equal(NewTokens, read.Count);
        int[] all = [.. prompt, .. read];
        float[][] never = NeverSqueezed(source, runnerOptions, all);
        int[] compared = [.. runner.Logits.Keys.Where(position => position >= swappedAt)];
        Assert.True(compared.Length > 20, $"Only {compared.Length} rows followed the swap at {swappedAt}.");
        Assert.All(compared, position => Assert.Equal(never[position], runner.Logits[position]));
        // Between squeeze and swap they differed, or the comparison would show nothing.
        Assert.Contains(Enumerable.Range(PromptTokens + 4, swappedAt - PromptTokens - 4), position => !never[position].SequenceEqual(runner.Logits[position]));

        void Steps(int count)
        {
            for (int i = 0; i < count; i++)
            {
                engine.StepOnce();
                Assert.Null(engine.Snapshot.Failure);
                engine.CheckLaws();
                read.AddRange(EngineBench.Read(stream));
                Array.ForEach(others, other => EngineBench.Read(other));
            }
        }
    }

    // One sequence on the lossless rung alone; logits of every row.
    private static float[][] NeverSqueezed(ModelSource source, CpuRunnerOptions options, int[] tokens)
    {
        using PagedKvCache cache = new(source.Config.ToKvShape(), new KvCacheOptions { BudgetBytes = 96 << 20 });
        using CpuModelRunner runner = CpuModelRunner.Create(source, cache, options);
        StepBatch batch = new(options.MaxStepRows, options.MaxLogitRows, source.Config.VocabularySize);
        PageTable table = cache.CreateTable();
        List<float[]> logits = [];
        for (int from = 0; from < tokens.Length; from += options.MaxLogitRows)
        {
            int count = Math.Min(options.MaxLogitRows, tokens.Length - from);
            Assert.True(cache.TryReserve(table, from + count));
            batch.Clear();
            batch.Add(table, from, tokens.AsSpan(from, count), count);
            runner.Forward(batch);
            cache.Commit(table, from + count);
            logits.AddRange(Enumerable.Range(0, count).Select(row => batch.Logits(row).ToArray()));
        }
        return [.. logits];
    }

    private static int[] Tokens(ModelSource source, int count, int seed)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(3, source.Config.VocabularySize))];
    }
}
