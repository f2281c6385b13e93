using Concertina.Compute.Engine;
using Concertina.Compute.KvCache;
using Concertina.Compute.Model;
using Concertina.Compute.Model.Cpu;
using Concertina.Compute.Profile;
using Concertina.Engine.Tests.Kit;
using Microsoft.Extensions.Time.Testing;

namespace Concertina.Engine.Tests;

/// <summary>The demo model with its own profile: live streams while every session goes all the way down.</summary>
public sealed class LadderWalkTests
{
    private const int Streams = 16;
    private const int NewTokens = 160;
    private const int PromptTokens = 1400;
    private const long SliceBytes = 32 << 20;

    [Theory]
    [InlineData(0)]
    [InlineData(0.01)]
    public async Task Sixteen_streams_go_on_while_every_session_goes_down_the_ladder_and_all_bytes_come_back(double guardFactor)
    {
        string? model = DemoModelFile.Path();
        if (model is null)
        {
            Assert.Skip("models/demo is not in this checkout.");
        }
        using ModelFile file = ModelFile.Open(model);
        KvProfile profile = KvProfile.Load(KvProfile.PathFor(model), file.ContentHash, file.Config.ToKvShape());
        using PagedKvCache cache = ModelCache.Create(
            file, new KvCacheOptions { BudgetBytes = 512L << 20, Rungs = "int4,commvq2,commvq1", GuardFactor = guardFactor }, profile);
        using var runner = CpuModelRunner.Create(file, cache, new CpuRunnerOptions { MaxStepRows = 256, MaxLogitRows = 64 });
        EngineOptions options = new() { StepTokens = 256, MaxRunning = 64, TranscodeSliceBytes = SliceBytes, ReaderBufferTokens = NewTokens };
        await using InferenceEngine engine = InferenceEngine.Manual(
            runner, cache, options, new FakeTimeProvider(), EngineLadder.Of(cache, profile));
        long empty = cache.UsedBytes;
        SequenceHandle[] handles = [.. Enumerable.Range(0, Streams).Select(i =>
            engine.Open(new SequenceIdentity($"t/s{i}", "t", PrefixScope.For("t", null))))];
        TokenStream[] streams = [.. handles.Select((handle, i) => EngineBench.Submit(handle, Spec(i)))];
        int[] read = new int[Streams];

        foreach (string rung in new[] { "f16", "int4", "commvq2", "commvq1" })
        {
            Assert.All(Enumerable.Range(0, Streams), i => Assert.True(engine.Assign($"t/s{i}", rung)));
            int[] before = [.. read];
            for (int step = 0; step < 35; step++)
            {
                Step(engine, streams, read);
            }
            // A guard that lets nothing pass keeps every page out of the trained codecs.
            string reached = guardFactor > 0 && rung.StartsWith("commvq", StringComparison.Ordinal) ? "int4" : rung;
            Assert.All(handles, handle => Assert.Equal(reached, handle.Rung));
            // Decode rows come first in every step, whatever is transcoded.
            Assert.All(Enumerable.Range(0, Streams), i => Assert.True(read[i] - before[i] >= (rung == "f16" ? 1 : 30)));
        }
        while (streams.Any(stream => stream.End is null))
        {
            Step(engine, streams, read);
        }
        while (engine.StepOnce())
        {
        }

        Assert.All(streams, stream => Assert.Equal(FinishKind.Length, stream.End!.Kind));
        Assert.All(read, count => Assert.Equal(NewTokens, count));
        bool guarded = guardFactor > 0;
        Assert.All(handles, handle => Assert.InRange(
            handle.KvBytes,
            cache.SettledBytes(handle.WarmTokens, guarded ? 2 : 3, atRest: true) * 999 / 1000, // lists may be shorter than the formula allows
            guarded ? cache.CommitmentBytes(handle.WarmTokens) : cache.SettledBytes(handle.WarmTokens, rung: 3)));
        Assert.Equal(guarded, engine.Snapshot.GuardedUnits > 0);
        await Task.WhenAll(handles.Select(handle =>
        {
            Task closed = handle.DisposeAsync().AsTask();
            engine.StepOnce();
            return closed;
        }));
        cache.CheckIntegrity();
        cache.DropUnreferenced(long.MaxValue);
        Assert.Equal(empty, cache.UsedBytes);
    }

    [Fact]
    public async Task Far_above_the_budget_all_streams_run_at_once_wait_in_place_for_the_reflex_and_end_whole()
    {
        string? model = DemoModelFile.Path();
        if (model is null)
        {
            Assert.Skip("models/demo is not in this checkout.");
        }
        using ModelFile file = ModelFile.Open(model);
        KvProfile profile = KvProfile.Load(KvProfile.PathFor(model), file.ContentHash, file.Config.ToKvShape());
        using PagedKvCache cache = ModelCache.Create(
            file, new KvCacheOptions { BudgetBytes = 66L << 20, Rungs = "int8,int4,commvq2" }, profile);
        using var runner = CpuModelRunner.Create(file, cache, new CpuRunnerOptions { MaxStepRows = 256, MaxLogitRows = 64 });
        EngineOptions options = new() { StepTokens = 128, MaxRunning = 64, TranscodeSliceBytes = 8 << 20, ReaderBufferTokens = 32 };
        await using InferenceEngine engine = InferenceEngine.Manual(
            runner, cache, options, new FakeTimeProvider(), EngineLadder.Of(cache, profile));
        TokenStream[] streams = [.. Enumerable.Range(0, Streams).Select(i => EngineBench.Submit(
            engine.Open(new SequenceIdentity($"t/s{i}", "t", PrefixScope.For("t", null))), Spec(i, PromptTokens, newTokens: 40, floor: "int4")))];
        int[] read = new int[Streams];
        int most = 0;
        long mostBytes = 0;
        for (int step = 0; streams.Any(stream => stream.End is null); step++)
        {
            Assert.True(step < 3000, $"Nobody moves: {engine.Snapshot}");
            engine.StepOnce();
            engine.CheckLaws();
            most = Math.Max(most, engine.Snapshot.Running);
            mostBytes = Math.Max(mostBytes, cache.UsedBytes);
            // Nobody is read before all prompts are there, so all sessions are live at full length.
            for (int i = 0; i < Streams && engine.Snapshot.PrefilledTokens == Streams * PromptTokens; i++)
            {
                read[i] += EngineBench.Read(streams[i]).Length;
            }
        }

        // 16 x 1,440 tokens x 4 KiB are 90 MiB.
        Assert.Equal(Streams, most);
        Assert.InRange(mostBytes, 0, cache.BudgetBytes);
        Assert.All(streams, stream => Assert.Equal(FinishKind.Length, stream.End!.Kind));
        Assert.All(read, count => Assert.Equal(40, count));
        Assert.Contains(streams, stream => !stream.End!.Exact);
        Assert.True(engine.Snapshot.TranscodedUnits > 0);
        Assert.DoesNotContain(streams, stream => stream.End!.Rung == "commvq2");
        cache.CheckIntegrity();
    }

    private static void Step(InferenceEngine engine, TokenStream[] streams, int[] read)
    {
        engine.StepOnce();
        engine.CheckLaws();
        Assert.Null(engine.Snapshot.Failure);
        Assert.InRange(engine.Squeezes.LastSliceBytes, 0, SliceBytes);
        for (int i = 0; i < streams.Length; i++)
        {
            read[i] += EngineBench.Read(streams[i]).Length;
            Assert.True(streams[i].End is null or { Kind: FinishKind.Length }, streams[i].End?.ErrorMessage);
        }
    }

    private static GenerationSpec Spec(int seed, int promptTokens = 380, int newTokens = NewTokens, string floor = "commvq1")
    {
        var random = new Random(seed);
        return new GenerationSpec
        {
            RequestId = $"r{seed}",
            Prompt = Enumerable.Range(0, promptTokens).Select(_ => random.Next(6, 4096)).ToArray(),
            MaxNewTokens = newTokens,
            Kv = new KvSpec { FloorRung = floor },
        };
    }
}
