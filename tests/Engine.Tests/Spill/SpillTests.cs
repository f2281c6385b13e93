using Concertina.Compute.Engine;
using Concertina.Compute.Engine.Spill;
using Concertina.Engine.Tests.Kit;

namespace Concertina.Engine.Tests.Spill;

public sealed class SpillTests : IDisposable
{
    private const string Key = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    internal static readonly TimeSpan Idle = TimeSpan.FromSeconds(301);
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

    internal static async Task<int[]> SpillOne(SessionPages pages)
    {
        await using EngineBench bench = new(pages: pages);
        SequenceHandle handle = Kept(bench);
        bench.Finish(EngineBench.Submit(handle, bench.Spec(EngineBench.Prompt(300, seed: 3), 7)));
        int[] tokens = handle.CopyTokens();
        Spill(bench);
        return tokens;
    }
}
