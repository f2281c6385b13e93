using Concertina.Compute.Engine;
using Concertina.Compute.Engine.Spill;
using Concertina.Engine.Tests.Kit;

namespace Concertina.Engine.Tests.Spill;

/// <summary>What the next request of a spilled session finds of it.</summary>
public sealed class WakeTests : IDisposable
{
    private readonly PageFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task After_a_restart_a_session_goes_on_from_its_file()
    {
        int[] prompt = EngineBench.Prompt(300, seed: 3);
        int[] tokens;
        await using (EngineBench before = new(pages: _folder.Open()))
        {
            SequenceHandle handle = SpillTests.Kept(before);
            before.Finish(EngineBench.Submit(handle, before.Spec(prompt, 7)));
            tokens = handle.CopyTokens();
            SpillTests.Spill(before);
        }
        await using EngineBench after = new(pages: _folder.Open());
        SequenceHandle again = SpillTests.Kept(after, epoch: 8);
        again.RestoreTokens(tokens);

        int[] next = [.. tokens, 9, 9];
        TokenStream stream = EngineBench.Submit(again, after.Spec(next, 10));
        Assert.Equal(HashModel.Greedy(next, 10), after.Finish(stream));
        Assert.Equal(tokens.Length - 1, stream.CachedTokens);
    }

    [Fact]
    public async Task Where_the_token_file_was_lost_the_prompt_says_what_the_page_file_covers()
    {
        int[] tokens = await SpillTests.SpillOne(_folder.Open());
        await using EngineBench after = new(pages: _folder.Open());

        TokenStream stream = EngineBench.Submit(SpillTests.Kept(after, epoch: 8), after.Spec([.. tokens, 9], 10));

        Assert.Equal(HashModel.Greedy([.. tokens, 9], 10), after.Finish(stream));
        Assert.Equal(tokens.Length - 1, stream.CachedTokens);
    }

    [Theory]
    [InlineData(256)]
    [InlineData(200)]
    [InlineData(10)]
    public async Task A_prompt_that_goes_another_way_keeps_what_is_common(int common)
    {
        int[] tokens = await SpillTests.SpillOne(_folder.Open());
        await using EngineBench after = new(pages: _folder.Open());
        SequenceHandle handle = SpillTests.Kept(after);
        handle.RestoreTokens(tokens);
        int[] other = [.. tokens[..common], .. EngineBench.Prompt(60, seed: 99).Select(token => (token + 1) % HashModel.VocabularySize)];
        other[common] = (tokens[common] + 1) % HashModel.VocabularySize;

        TokenStream stream = EngineBench.Submit(handle, after.Spec(other, 10));

        Assert.Equal(HashModel.Greedy(other, 10), after.Finish(stream));
        Assert.Equal(common, stream.CachedTokens);
    }

    [Fact]
    public async Task A_lossless_request_takes_the_exact_part_of_a_squeezed_file_alone()
    {
        await using EngineBench bench = new(parts: PairLadder.Parts(), pages: _folder.Open());
        SequenceHandle handle = SpillTests.Kept(bench);
        GenerationSpec spec = bench.Spec(EngineBench.Prompt(500, seed: 4), 10) with { Kv = new KvSpec { Mode = KvMode.Economy, FloorRung = "pair" } };
        bench.Finish(EngineBench.Submit(handle, spec));
        SpillTests.Spill(bench);

        int[] next = [.. handle.CopyTokens(), 1];
        TokenStream stream = EngineBench.Submit(handle, bench.Spec(next, 10) with { Kv = new KvSpec { Mode = KvMode.Lossless } });

        Assert.Equal(HashModel.Greedy(next, 10), bench.Finish(stream));
        Assert.True(stream.End!.Exact);
        Assert.True(stream.CachedTokens < 509);
    }

    [Fact]
    public async Task A_request_that_comes_while_the_file_is_written_waits_for_it()
    {
        await using EngineBench bench = new(pages: _folder.Open());
        SequenceHandle handle = SpillTests.Kept(bench);
        bench.Finish(EngineBench.Submit(handle, bench.Spec(EngineBench.Prompt(200, seed: 1), 10)));
        bench.RunsPageFiles = false;
        SpillTests.Spill(bench);
        Assert.Empty(_folder.Files());
        int[] next = [.. handle.CopyTokens(), 1];
        TokenStream stream = EngineBench.Submit(handle, bench.Spec(next, 10));
        bench.Steps(3);
        Assert.Equal(1, bench.Engine.Snapshot.Queued);
        TokenStream other = bench.Submit(EngineBench.Prompt(20, seed: 2), 2, tenant: "other");
        bench.Finish(other); // others are not held up

        bench.RunsPageFiles = true;
        Assert.Equal(HashModel.Greedy(next, 10), bench.Finish(stream));
        Assert.Equal(209, stream.CachedTokens);
    }

    [Fact]
    public async Task A_cancelled_request_of_a_spilled_session_leaves_nothing_in_memory()
    {
        await using EngineBench bench = new(pages: _folder.Open());
        SequenceHandle handle = SpillTests.Kept(bench);
        bench.Finish(EngineBench.Submit(handle, bench.Spec(EngineBench.Prompt(200, seed: 1), 10)));
        SpillTests.Spill(bench);
        foreach (bool loadsFirst in new[] { true, false })
        {
            bench.RunsPageFiles = loadsFirst;
            TokenStream stream = EngineBench.Submit(handle, bench.Spec([.. handle.CopyTokens(), 1], 10));
            bench.Step();
            bench.Engine.Desk!.Worker.RunPending(loadsFirst ? int.MaxValue : 0);
            stream.Cancel();
            bench.Step();
            bench.RunsPageFiles = true;
            bench.Steps(2);
            Assert.Equal(FinishKind.Cancelled, stream.End!.Kind);
            Assert.Equal((0L, 0, 0), (bench.Engine.Desk.Incoming.UsedBytes, handle.WarmTokens, bench.Engine.Snapshot.Queued));
        }
        int[] next = [.. handle.CopyTokens(), 1];
        Assert.Equal(HashModel.Greedy(next, 10), bench.Finish(EngineBench.Submit(handle, bench.Spec(next, 10))));
    }

    [Fact]
    public void The_cheaper_way_is_taken_by_what_was_measured()
    {
        WakeChoice choice = new();
        Assert.True(choice.PrefersRestore(1 << 30, 1));
        Assert.False(choice.PrefersRestore(1, 0));
        choice.Restore.Add(1000, TimeSpan.FromSeconds(1));
        Assert.True(choice.PrefersRestore(1 << 30, 1)); // nothing is known of computing
        choice.Prefill.Add(10, TimeSpan.FromSeconds(1));

        Assert.True(choice.PrefersRestore(fileBytes: 10_000, tokens: 100));
        Assert.False(choice.PrefersRestore(fileBytes: 10_001, tokens: 100));
        for (int i = 0; i < 50; i++)
        {
            choice.Restore.Add(100, TimeSpan.FromSeconds(1)); // the disk became slow
        }
        Assert.False(choice.PrefersRestore(fileBytes: 2_000, tokens: 100));
    }

    [Fact]
    public async Task A_file_that_takes_longer_than_computing_is_not_read()
    {
        int[] tokens = await SpillTests.SpillOne(_folder.Open());
        await using EngineBench after = new(pages: _folder.Open());
        after.Engine.Desk!.Choice.Prefill.Add(1_000_000, TimeSpan.FromSeconds(1));
        after.Engine.Desk.Choice.Restore.Add(1, TimeSpan.FromSeconds(1));
        SequenceHandle handle = SpillTests.Kept(after);
        handle.RestoreTokens(tokens);

        TokenStream stream = EngineBench.Submit(handle, after.Spec([.. tokens, 9], 10));

        Assert.Equal(HashModel.Greedy([.. tokens, 9], 10), after.Finish(stream));
        Assert.Equal((0, 1L), (stream.CachedTokens, after.Engine.Desk.Figures.Recomputed));
    }
}
