using Concertina.Compute.Engine;
using Concertina.Compute.Engine.Spill;
using Concertina.Engine.Tests.Kit;

namespace Concertina.Engine.Tests.Spill;

public sealed class SpillTests : IDisposable
{
    private const string Key = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(301);
    private readonly PageFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("")]
    [InlineData(Key)]
    public async Task An_idle_session_goes_to_its_file_and_comes_back_with_every_token(string key)
    {
        await using EngineBench bench = new(pages: _folder.Open(key: key));
        SequenceHandle handle = Kept(bench);
        int[] prompt = EngineBench.Prompt(200, seed: 1);
        int[] first = bench.Finish(EngineBench.Submit(handle, bench.Spec(prompt, 10)));

        Spill(bench);

        Assert.Equal((0, 0L, 210), (handle.WarmTokens, handle.KvBytes, handle.TokenCount));
        Assert.Equal(0, bench.Cache.Statistics().LiveUnits);
        Assert.Single(_folder.Files());
        int[] next = [.. prompt, .. first, 5, 6];
        TokenStream again = EngineBench.Submit(handle, bench.Spec(next, 10));
        Assert.Equal(HashModel.Greedy(next, 10), bench.Finish(again));
        Assert.Equal(209, again.CachedTokens);
        Assert.True(again.End!.Exact);
        Assert.Equal((1L, 1L), (bench.Engine.Snapshot.SpilledSequences, bench.Engine.Snapshot.RestoredSequences));
        Assert.Empty(_folder.Faults);
    }

    [Fact]
    public async Task A_session_that_is_used_or_not_kept_is_not_spilled()
    {
        await using EngineBench bench = new(pages: _folder.Open());
        bench.Finish(EngineBench.Submit(bench.Open(session: "not kept"), bench.Spec(EngineBench.Prompt(100, seed: 1))));
        SequenceHandle used = Kept(bench, "used");
        bench.Finish(EngineBench.Submit(used, bench.Spec(EngineBench.Prompt(100, seed: 2))));
        bench.Time.Advance(Idle / 2);
        bench.Finish(EngineBench.Submit(used, bench.Spec([.. used.CopyTokens(), 1])));
        bench.Time.Advance(Idle / 1.5);
        bench.Steps(3);

        Assert.Equal(2, bench.Engine.Snapshot.IdleSequences);
        Assert.Empty(_folder.AllFiles());
    }

    [Fact]
    public async Task A_session_that_is_to_be_kept_only_after_the_engine_went_to_rest_wakes_it()
    {
        await using EngineBench bench = new(pages: _folder.Open());
        SequenceHandle handle = bench.Open();
        bench.Finish(EngineBench.Submit(handle, bench.Spec(EngineBench.Prompt(100, seed: 1))));
        while (bench.Engine.StepOnce())
        {
        }

        handle.Keep(3);

        Assert.True(bench.Engine.StepOnce());
        Assert.False(bench.Engine.StepOnce());
    }

    [Fact]
    public async Task After_a_restart_a_session_goes_on_from_its_file()
    {
        int[] prompt = EngineBench.Prompt(300, seed: 3);
        int[] tokens;
        await using (EngineBench before = new(pages: _folder.Open()))
        {
            SequenceHandle handle = Kept(before);
            before.Finish(EngineBench.Submit(handle, before.Spec(prompt, 7)));
            tokens = handle.CopyTokens();
            Spill(before);
        }
        await using EngineBench after = new(pages: _folder.Open());
        SequenceHandle again = Kept(after, epoch: 8);
        again.RestoreTokens(tokens);

        int[] next = [.. tokens, 9, 9];
        TokenStream stream = EngineBench.Submit(again, after.Spec(next, 10));
        Assert.Equal(HashModel.Greedy(next, 10), after.Finish(stream));
        Assert.Equal(tokens.Length - 1, stream.CachedTokens);
    }

    [Fact]
    public async Task Where_the_token_file_was_lost_the_prompt_says_what_the_page_file_covers()
    {
        int[] tokens = await SpillOne(_folder.Open());
        await using EngineBench after = new(pages: _folder.Open());

        TokenStream stream = EngineBench.Submit(Kept(after, epoch: 8), after.Spec([.. tokens, 9], 10));

        Assert.Equal(HashModel.Greedy([.. tokens, 9], 10), after.Finish(stream));
        Assert.Equal(tokens.Length - 1, stream.CachedTokens);
    }

    [Theory]
    [InlineData(256)]
    [InlineData(200)]
    [InlineData(10)]
    public async Task A_prompt_that_goes_another_way_keeps_what_is_common(int common)
    {
        int[] tokens = await SpillOne(_folder.Open());
        await using EngineBench after = new(pages: _folder.Open());
        SequenceHandle handle = Kept(after);
        handle.RestoreTokens(tokens);
        int[] other = [.. tokens[..common], .. EngineBench.Prompt(60, seed: 99).Select(token => (token + 1) % HashModel.VocabularySize)];
        other[common] = (tokens[common] + 1) % HashModel.VocabularySize;

        TokenStream stream = EngineBench.Submit(handle, after.Spec(other, 10));

        Assert.Equal(HashModel.Greedy(other, 10), after.Finish(stream));
        Assert.Equal(common, stream.CachedTokens);
    }

    [Fact]
    public async Task A_squeezed_session_comes_back_on_its_rung()
    {
        await using EngineBench bench = new(parts: PairLadder.Parts(), pages: _folder.Open());
        SequenceHandle handle = Kept(bench);
        GenerationSpec spec = bench.Spec(EngineBench.Prompt(500, seed: 4), 10) with { Kv = new KvSpec { FloorRung = "pair1" } };
        bench.Finish(EngineBench.Submit(handle, spec));
        Assert.True(bench.Engine.Assign("tenant/s", "pair1"));
        bench.Steps(60);
        Assert.Equal("pair1", handle.Rung);
        long bytes = handle.KvBytes;
        Spill(bench);

        int[] next = [.. handle.CopyTokens(), 1];
        TokenStream stream = EngineBench.Submit(handle, bench.Spec(next, 10) with { Kv = new KvSpec { FloorRung = "pair1" } });
        Assert.Equal(HashModel.Greedy(next, 10), bench.Finish(stream));

        Assert.Equal(("pair1", false, 509), (stream.End!.Rung, stream.End.Exact, stream.CachedTokens));
        Assert.InRange(handle.KvBytes, bytes, bytes * 3 / 2);
    }

    [Fact]
    public async Task A_lossless_request_takes_the_exact_part_of_a_squeezed_file_alone()
    {
        await using EngineBench bench = new(parts: PairLadder.Parts(), pages: _folder.Open());
        SequenceHandle handle = Kept(bench);
        GenerationSpec spec = bench.Spec(EngineBench.Prompt(500, seed: 4), 10) with { Kv = new KvSpec { Mode = KvMode.Economy, FloorRung = "pair" } };
        bench.Finish(EngineBench.Submit(handle, spec));
        Spill(bench);

        int[] next = [.. handle.CopyTokens(), 1];
        TokenStream stream = EngineBench.Submit(handle, bench.Spec(next, 10) with { Kv = new KvSpec { Mode = KvMode.Lossless } });

        Assert.Equal(HashModel.Greedy(next, 10), bench.Finish(stream));
        Assert.True(stream.End!.Exact);
        Assert.True(stream.CachedTokens < 509);
    }

    [Fact]
    public async Task Under_pressure_the_longest_idle_is_spilled_and_restored()
    {
        await using EngineBench bench = new(columns: 10, pages: _folder.Open());
        SequenceHandle[] idle = [.. Enumerable.Range(0, 3).Select(i => Kept(bench, $"s{i}"))];
        int[][] prompts = [.. Enumerable.Range(0, 3).Select(i => EngineBench.Prompt(150, seed: i))];
        for (int i = 0; i < 3; i++)
        {
            bench.Finish(EngineBench.Submit(idle[i], bench.Spec(prompts[i], 5)));
        }
        for (int i = 9; bench.Engine.Snapshot.SpilledSequences == 0 && i < 60; i++)
        {
            bench.Finish(bench.Submit(EngineBench.Prompt(500, seed: i), 100, tenant: $"t{i}"));
            bench.Step();
        }

        Assert.Equal(0, idle[0].WarmTokens);
        Assert.True(bench.Engine.Snapshot.ReclaimedSequences > 0);
        bench.Cache.DropUnreferenced(long.MaxValue);
        TokenStream again = EngineBench.Submit(idle[0], bench.Spec([.. prompts[0], 1, 2], 5));
        Assert.Equal(HashModel.Greedy([.. prompts[0], 1, 2], 5), bench.Finish(again));
        Assert.Equal(150, again.CachedTokens);
    }

    [Fact]
    public async Task A_slow_disk_makes_new_work_wait_and_takes_no_more_than_the_buffer()
    {
        EngineOptions options = new() { SpillBufferBytes = 1 << 17 };
        await using EngineBench bench = new(options, columns: 34, contextLength: 2_000, pages: _folder.Open());
        int session = 0;
        while (bench.Engine.Snapshot.SpilledSequences == 0)
        {
            bench.Finish(EngineBench.Submit(Kept(bench, $"s{session}"), bench.Spec(EngineBench.Prompt(1_900, seed: session), 2))); // 30 columns of 16 KiB
            Assert.InRange(++session, 1, 20);
            bench.Step();
        }
        bench.Cache.DropUnreferenced(long.MaxValue);
        bench.RunsPageFiles = false;
        int idle = bench.Engine.Snapshot.IdleSequences;

        int[] prompt = EngineBench.Prompt(1_900, seed: 100);
        TokenStream waits = bench.Submit(prompt, 2, tenant: "other");
        for (int other = 101; other < 110 && waits.End is not null; other++)
        {
            waits = bench.Submit(prompt = EngineBench.Prompt(1_900, seed: other), 2, tenant: $"other{other}");
            bench.Steps(40);
        }
        bench.Steps(40);
        Assert.Null(waits.End);
        Assert.Equal(idle - 1, bench.Engine.Snapshot.IdleSequences);
        Assert.InRange(bench.Engine.Desk!.Outgoing.UsedBytes, 1 << 16, 1 << 17);

        bench.RunsPageFiles = true;
        Assert.Equal(HashModel.Greedy(prompt, 2), bench.Finish(waits));
        bench.Steps(2);
        Assert.Equal(2, bench.Engine.Snapshot.SpilledSequences);
        Assert.Equal(0, bench.Engine.Desk.Outgoing.UsedBytes);
    }

    [Fact]
    public async Task A_request_that_comes_while_the_file_is_written_waits_for_it()
    {
        await using EngineBench bench = new(pages: _folder.Open());
        SequenceHandle handle = Kept(bench);
        bench.Finish(EngineBench.Submit(handle, bench.Spec(EngineBench.Prompt(200, seed: 1), 10)));
        bench.RunsPageFiles = false;
        Spill(bench);
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
    public async Task A_request_that_comes_while_units_are_copied_finds_them()
    {
        EngineOptions options = new() { SpillBufferBytes = 1 << 17 };
        await using EngineBench bench = new(options, contextLength: 2_000, pages: _folder.Open());
        SequenceHandle handle = Kept(bench);
        int[] prompt = EngineBench.Prompt(1_900, seed: 1);
        bench.Finish(EngineBench.Submit(handle, bench.Spec(prompt, 2)));
        bench.RunsPageFiles = false;
        bench.Time.Advance(Idle);
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
        SequenceHandle handle = Kept(bench);
        bench.Finish(EngineBench.Submit(handle, bench.Spec(EngineBench.Prompt(1_900, seed: 1), 2)));
        bench.RunsPageFiles = false;
        bench.Time.Advance(Idle);
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
        SequenceHandle handle = Kept(bench);
        KvSpec kv = new() { FloorRung = "pair1" };
        bench.Finish(EngineBench.Submit(handle, bench.Spec(EngineBench.Prompt(1_900, seed: 1), 2) with { Kv = kv }));
        Assert.True(bench.Engine.Assign("tenant/s", "pair1"));
        bench.Step();
        bench.RunsPageFiles = false;
        bench.Time.Advance(Idle);
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
        SequenceHandle handle = Kept(bench);
        bench.Finish(EngineBench.Submit(handle, bench.Spec(EngineBench.Prompt(200, seed: 1), 10)));
        bench.RunsPageFiles = false;
        Spill(bench);
        bench.Close(handle);
        bench.RunsPageFiles = true;
        bench.Steps(2);

        Assert.Empty(_folder.AllFiles());
    }

    [Fact]
    public async Task A_cancelled_request_of_a_spilled_session_leaves_nothing_in_memory()
    {
        await using EngineBench bench = new(pages: _folder.Open());
        SequenceHandle handle = Kept(bench);
        bench.Finish(EngineBench.Submit(handle, bench.Spec(EngineBench.Prompt(200, seed: 1), 10)));
        Spill(bench);
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
    public async Task A_session_is_spilled_when_it_is_asked_to()
    {
        await using EngineBench bench = new(pages: _folder.Open());
        SequenceHandle handle = Kept(bench);
        bench.Finish(EngineBench.Submit(handle, bench.Spec(EngineBench.Prompt(200, seed: 1), 10)));

        Task spilled = handle.SpillAsync();
        bench.Step();
        Assert.False(spilled.IsCompleted);
        bench.Step();
        await spilled;

        Assert.Single(_folder.Files());
        Assert.Equal(0, handle.KvBytes);
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
        int[] tokens = await SpillOne(_folder.Open());
        await using EngineBench after = new(pages: _folder.Open());
        after.Engine.Desk!.Choice.Prefill.Add(1_000_000, TimeSpan.FromSeconds(1));
        after.Engine.Desk.Choice.Restore.Add(1, TimeSpan.FromSeconds(1));
        SequenceHandle handle = Kept(after);
        handle.RestoreTokens(tokens);

        TokenStream stream = EngineBench.Submit(handle, after.Spec([.. tokens, 9], 10));

        Assert.Equal(HashModel.Greedy([.. tokens, 9], 10), after.Finish(stream));
        Assert.Equal((0, 1L), (stream.CachedTokens, after.Engine.Desk.Figures.Recomputed));
    }

    internal static SequenceHandle Kept(EngineBench bench, string session = "s", string tenant = "tenant", long epoch = 3)
    {
        SequenceHandle handle = bench.Open(tenant, session);
        handle.Keep(epoch);
        return handle;
    }

    /// <summary>Lets everything idle be spilled, and forgets the prefix columns that would serve as well.</summary>
    internal static void Spill(EngineBench bench)
    {
        bench.Time.Advance(Idle);
        bench.Steps(4);
        bench.Cache.DropUnreferenced(long.MaxValue);
    }

    private static async Task<int[]> SpillOne(SessionPages pages)
    {
        await using EngineBench bench = new(pages: pages);
        SequenceHandle handle = Kept(bench);
        bench.Finish(EngineBench.Submit(handle, bench.Spec(EngineBench.Prompt(300, seed: 3), 7)));
        int[] tokens = handle.CopyTokens();
        Spill(bench);
        return tokens;
    }
}
