using Concertina.Compute.Engine;
using Concertina.Engine.Tests.Kit;

namespace Concertina.Engine.Tests.Spill;

/// <summary>Memory is waited for and the only rung left is slow to encode: idle sessions that can be kept go to disk first.</summary>
public sealed class SlowSqueezeTests : IDisposable
{
    private const int PromptTokens = 1900;
    private const double SlowWeight = 1000;
    private const int Idle = 12;
    private readonly PageFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Idle_sessions_that_can_be_kept_are_spilled_instead_of_waited_for_and_go_on_where_they_were()
    {
        await using EngineBench bench = Bench(_folder);
        SequenceHandle[] idle = [.. Enumerable.Range(0, Idle).Select(session => SpillTests.Kept(bench, $"s{session}"))];
        foreach ((int session, SequenceHandle handle) in idle.Index())
        {
            bench.Finish(Submit(bench, handle, EngineBench.Prompt(PromptTokens, session)));
        }
        bench.Cache.DropUnreferenced(long.MaxValue);

        int[] prompt = EngineBench.Prompt(PromptTokens, 7);
        Assert.Equal(HashModel.Greedy(prompt, 8), bench.Finish(Submit(bench, bench.Open(session: "running"), prompt)));

        Assert.True(bench.Engine.Snapshot.SpilledSequences > 0, bench.Engine.Snapshot.ToString());
        Assert.Equal(0, bench.Engine.Snapshot.TranscodedUnits);
        foreach (SequenceHandle handle in idle)
        {
            int[] next = [.. handle.CopyTokens(), .. EngineBench.Prompt(20, 9)];
            Assert.Equal(HashModel.Greedy(next, 8), bench.Finish(Submit(bench, handle, next)));
        }
        Assert.True(bench.Engine.Snapshot.RestoredSequences > 0);
    }

    [Fact]
    public async Task Where_nobody_can_be_kept_the_slow_rung_is_used()
    {
        await using EngineBench bench = Bench(pages: null);
        foreach (int session in Enumerable.Range(0, Idle))
        {
            bench.Finish(Submit(bench, bench.Open(session: $"s{session}"), EngineBench.Prompt(PromptTokens, session)));
        }
        bench.Cache.DropUnreferenced(long.MaxValue);

        int[] prompt = EngineBench.Prompt(PromptTokens, 7);
        Assert.Equal(HashModel.Greedy(prompt, 8), bench.Finish(Submit(bench, bench.Open(session: "running"), prompt)));

        Assert.True(bench.Engine.Snapshot.TranscodedUnits > 0, bench.Engine.Snapshot.ToString());
        Assert.Equal(0, bench.Engine.Snapshot.ReclaimedSequences);
    }

    private static EngineBench Bench(PageFolder? pages) => new(
        new EngineOptions { StepTokens = 64, TranscodeSliceBytes = 64 << 10, UrgentSliceBytes = 64 << 10 },
        columns: 124, contextLength: 2048, parts: PairLadder.Parts(SlowWeight, deepWeight: SlowWeight), pages: pages?.Open());

    private static TokenStream Submit(EngineBench bench, SequenceHandle handle, int[] prompt) =>
        EngineBench.Submit(handle, bench.Spec(prompt, 8) with { Kv = new KvSpec { FloorRung = "pair1" } });
}
