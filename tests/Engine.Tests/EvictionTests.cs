using Concertina.Compute.Engine;
using Concertina.Compute.KvCache;
using Concertina.Compute.Model;
using Concertina.Compute.Model.Cpu;
using Concertina.Compute.Model.Weights;
using Concertina.Engine.Tests.Kit;
using Microsoft.Extensions.Time.Testing;

namespace Concertina.Engine.Tests;

/// <summary>Sessions whose slots are evicted while they stream; random weights, because eviction needs real queries.</summary>
public sealed class EvictionTests
{
    private const int Streams = 4;
    private const int NewTokens = 200;
    private const int PromptTokens = 800;

    [Theory]
    [InlineData("f16+evict4", 1 << 16)]
    [InlineData("f16+evict4", 1 << 18)]
    [InlineData("int4+evict2", 1 << 17)]
    public async Task Streams_go_on_while_their_slots_are_evicted_within_the_slice_and_all_bytes_come_back(string rung, long slice)
    {
        using RandomModel model = RandomModel.Create(TinyModel.Shape, TensorType.F32, seed: 5);
        using PagedKvCache cache = new(
            TinyModel.Shape.ToKvShape(), new KvCacheOptions { BudgetBytes = 96 << 20 }, CacheParts.WithoutProfile(rung));
        using CpuModelRunner runner = CpuModelRunner.Create(model, cache, new CpuRunnerOptions { MaxStepRows = 256, MaxLogitRows = 32, Threads = 1 });
        EngineOptions options = new() { StepTokens = 256, MaxRunning = 32, TranscodeSliceBytes = slice, ReaderBufferTokens = NewTokens };
        await using InferenceEngine engine = InferenceEngine.Manual(
            runner, cache, options, new FakeTimeProvider(), EngineLadder.Of(cache, profile: null));
        long empty = cache.UsedBytes;
        SequenceHandle[] handles = [.. Enumerable.Range(0, Streams).Select(i =>
            engine.Open(new SequenceIdentity($"t/s{i}", "t", PrefixScope.For("t", null))))];
        TokenStream[] streams = [.. handles.Select((handle, i) => EngineBench.Submit(handle, Spec(i, rung)))];
        Assert.All(Enumerable.Range(0, Streams), i => Assert.True(engine.Assign($"t/s{i}", rung)));
        int[] read = new int[Streams];
        int busiest = 0;
        while (streams.Any(stream => stream.End is null) || engine.StepOnce())
        {
            int before = read.Sum();
            engine.StepOnce();
            Assert.Null(engine.Snapshot.Failure);
            engine.CheckLaws();
            Assert.InRange(engine.Squeezes.LastSliceBytes, 0, slice);
            for (int i = 0; i < Streams; i++)
            {
                read[i] += EngineBench.Read(streams[i]).Length;
            }
            busiest = engine.Squeezes.LastSliceBytes > 0 ? Math.Max(busiest, read.Sum() - before) : busiest;
        }

        Assert.All(streams, stream => Assert.Equal(FinishKind.Length, stream.End!.Kind));
        Assert.All(read, count => Assert.Equal(NewTokens, count));
        Assert.Equal(Streams, busiest);
        Assert.All(handles, handle => Assert.Equal(rung, handle.Rung));
        Assert.All(handles, handle => Assert.True(((OpenSequence)handle).Sequence.Table!.Eviction.Slots > 1000));
        Assert.All(handles, handle => Assert.InRange(handle.KvBytes, 1, cache.SettledBytes(handle.WarmTokens, rung: 1)));
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

    private static GenerationSpec Spec(int stream, string floor)
    {
        var random = new Random(stream);
        return new GenerationSpec
        {
            RequestId = $"r{stream}",
            Prompt = Enumerable.Range(0, PromptTokens).Select(_ => random.Next(3, TinyModel.Shape.VocabularySize)).ToArray(),
            MaxNewTokens = NewTokens,
            Kv = new KvSpec { FloorRung = floor },
        };
    }
}
