using Concertina.Compute.Engine;
using Concertina.Engine.Tests.Kit;

namespace Concertina.Engine.Tests.Spill;

/// <summary>A session on its way to its file: whatever comes in between, it is whole in memory or whole on disk.</summary>
public sealed class SpillCopyTests : IDisposable
{
    private readonly PageFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_request_that_comes_while_units_are_copied_finds_them()
    {
        EngineOptions options = new() { SpillBufferBytes = 1 << 17 };
        await using EngineBench bench = new(options, contextLength: 2_000, pages: _folder.Open());
        SequenceHandle handle = SpillTests.Kept(bench);
        int[] prompt = EngineBench.Prompt(1_900, seed: 1);
        bench.Finish(EngineBench.Submit(handle, bench.Spec(prompt, 2)));
        bench.RunsPageFiles = false;
        bench.Time.Advance(SpillTests.Idle);
        bench.Steps(3);
        Assert.Equal((0, 1_901), (bench.Engine.Snapshot.IdleSequences, handle.WarmTokens));

        int[] next = [.. handle.CopyTokens(), 1];
        TokenStream stream = EngineBench.Submit(handle, bench.Spec(next, 3));
        bench.RunsPageFiles = true;
        Assert.Equal(HashModel.Greedy(next, 3), bench.Finish(stream));
        Assert.Equal(1_901, stream.CachedTokens);
        bench.Steps(2);
        Assert.Empty(_folder.AllFiles());
    }

    [Fact]
    public async Task A_request_that_is_gone_before_it_began_leaves_the_session_idle()
    {
        await using EngineBench bench = new(new EngineOptions { SpillBufferBytes = 1 << 17 }, contextLength: 2_000, pages: _folder.Open());
        SequenceHandle handle = SpillTests.Kept(bench);
        bench.Finish(EngineBench.Submit(handle, bench.Spec(EngineBench.Prompt(1_900, seed: 1), 2)));
        bench.RunsPageFiles = false;
        bench.Time.Advance(SpillTests.Idle);
        bench.Steps(3);
        Assert.Equal(0, bench.Engine.Snapshot.IdleSequences); // its units are being copied

        EngineBench.Submit(handle, bench.Spec([.. handle.CopyTokens(), 1], 3)).Cancel();
        bench.RunsPageFiles = true;
        bench.Steps(40);

        Assert.Equal((0L, 1), (handle.KvBytes, _folder.AllFiles().Length)); // still idle for so long, it was spilled after all
    }

    [Fact]
    public async Task Units_that_are_being_copied_are_not_squeezed_meanwhile()
    {
        EngineOptions options = new() { SpillBufferBytes = 1 << 17, TranscodeSliceBytes = 1 << 16 };
        await using EngineBench bench = new(options, contextLength: 2_000, parts: PairLadder.Parts(), pages: _folder.Open());
        SequenceHandle handle = SpillTests.Kept(bench);
        KvSpec kv = new() { FloorRung = "pair1" };
        bench.Finish(EngineBench.Submit(handle, bench.Spec(EngineBench.Prompt(1_900, seed: 1), 2) with { Kv = kv }));
        Assert.True(bench.Engine.Assign("tenant/s", "pair1"));
        bench.Step();
        bench.RunsPageFiles = false;
        bench.Time.Advance(SpillTests.Idle);
        bench.Step();
        long moved = bench.Engine.Snapshot.TranscodedUnits;
        bench.Steps(5);
        Assert.Equal(moved, bench.Engine.Snapshot.TranscodedUnits);

        bench.RunsPageFiles = true;
        int[] next = [.. handle.CopyTokens(), 1];
        TokenStream stream = EngineBench.Submit(handle, bench.Spec(next, 20) with { Kv = kv });
        Assert.Equal(HashModel.Greedy(next, 20), bench.Finish(stream));
        Assert.True(bench.Engine.Snapshot.TranscodedUnits > moved, "It goes on when the units are needed again.");
    }

    [Fact]
    public async Task A_session_removed_while_its_file_is_written_leaves_none()
    {
        await using EngineBench bench = new(pages: _folder.Open());
        SequenceHandle handle = SpillTests.Kept(bench);
        bench.Finish(EngineBench.Submit(handle, bench.Spec(EngineBench.Prompt(200, seed: 1), 10)));
        bench.RunsPageFiles = false;
        SpillTests.Spill(bench);
        bench.Close(handle);
        bench.RunsPageFiles = true;
        bench.Steps(2);

        Assert.Empty(_folder.AllFiles());
    }
}
