using Concertina.Compute.Engine;
using Concertina.Compute.KvCache;
using Concertina.Engine.Tests.Kit;

namespace Concertina.Engine.Tests.Undo;

/// <summary>Squeezed sessions on their way back: what changes for them, and that it changes for nobody else.</summary>
public sealed class UndoTests
{
    private const string Key = "tenant/s";

    [Fact]
    public async Task An_idle_session_that_is_assigned_the_lossless_rung_is_exact_again_and_goes_on_so()
    {
        await using EngineBench bench = new(parts: PairLadder.Parts());
        (SequenceHandle handle, int[] tokens) = await Squeezed(bench, "pair1");

        Assert.True(bench.Engine.Assign(Key, "f16"));
        bench.Step();
        Assert.Equal(1, bench.Engine.Snapshot.UndoBacklog);
        Assert.InRange(bench.Engine.Snapshot.UndoBacklogTokens, 1, tokens.Length - 1 - new EngineOptions().StepTokens);
        bench.Steps(3);

        Assert.Equal(("f16", true, 0, 0), (handle.Rung, handle.Exact, bench.Engine.Snapshot.UndoBacklog, bench.Engine.UndoQueue.Shadows.Count));
        Assert.Equal((1, 0), (bench.Engine.Snapshot.UndoneSequences, bench.Engine.Snapshot.AbandonedUndos));
        // The first page, which is never squeezed, was not computed again.
        Assert.Equal(handle.WarmTokens - KvShape.PageTokens, bench.Engine.Snapshot.UndoneTokens);
        int[] next = [.. tokens, 5, 6];
        TokenStream lossless = EngineBench.Submit(handle, bench.Spec(next, 20) with { Kv = new KvSpec { Mode = KvMode.Lossless } });
        Assert.Equal(HashModel.Greedy(next, 20), bench.Finish(lossless));
        Assert.True(lossless.CachedTokens >= tokens.Length - 1, $"Only {lossless.CachedTokens} tokens were still there.");
        Assert.Equal((true, "f16", 0L), (lossless.End!.Exact, lossless.End.Rung, lossless.End.Transcodes));
    }

    [Fact]
    public async Task An_idle_session_gets_all_rows_of_idle_steps()
    {
        await using EngineBench bench = new(new EngineOptions { StepTokens = 100 }, parts: PairLadder.Parts());
        (SequenceHandle handle, _) = await Squeezed(bench, "pair");
        Assert.True(bench.Engine.Assign(Key, "f16"));

        bench.Step();
        Assert.Equal(100, bench.Engine.Undos.LastRows);
        bench.Steps(4);

        Assert.True(handle.Exact);
        Assert.False(bench.Step(), "Nothing is left to do.");
    }

    [Fact]
    public async Task Exact_columns_of_the_prefix_cache_are_taken_instead_of_computed()
    {
        await using EngineBench bench = new(parts: PairLadder.Parts());
        (SequenceHandle handle, _) = await Squeezed(bench, "pair1", published: true);
        long misses = bench.Engine.Snapshot.Kv.PrefixMissTokens;

        Assert.True(bench.Engine.Assign(Key, "f16"));
        bench.Steps(3);

        Assert.True(handle.Exact);
        Assert.InRange(bench.Engine.Snapshot.UndoneTokens, 1, KvShape.PageTokens * 2);
        Assert.Equal(misses, bench.Engine.Snapshot.Kv.PrefixMissTokens);
    }

    [Theory]
    [InlineData("f16")]
    [InlineData("pair")]
    public async Task A_streaming_session_gets_its_rung_back_without_a_change_to_what_it_streams(string rung)
    {
        await using EngineBench bench = new(parts: PairLadder.Parts());
        (SequenceHandle handle, TokenStream stream, int[] prompt, List<int> read) = Streaming(bench, new KvSpec { FloorRung = "pair1" });
        // Others that stream: their rows earn it some.
        TokenStream[] others = Others(bench, 40);
        Assert.True(bench.Engine.Assign(Key, "pair1"));
        Run(bench, 20, [stream], others, read);
        Assert.Equal("pair1", handle.Rung);
        long squeezed = handle.KvBytes;

        Assert.True(bench.Engine.Assign(Key, rung));
        Run(bench, 160, [stream], others, read);

        Assert.Equal((rung, rung == "f16"), (handle.Rung, handle.Exact));
        Assert.True(handle.KvBytes > squeezed);
        Assert.Null(stream.End);
        Run(bench, 200, [stream], others, read);
        Assert.Equal(HashModel.Greedy(prompt, 300), read);
        // What it streamed at first had run on the deepest rung, and the answer says so.
        Assert.Equal((false, "pair1"), (stream.End!.Exact, stream.End.Rung));
        Assert.Equal(rung == "f16", handle.Exact);
    }

    [Theory]
    [InlineData(0.1)]
    [InlineData(0.25)]
    [InlineData(0)]
    public async Task Beside_other_rows_undo_takes_no_more_than_its_share_of_them(double share)
    {
        await using EngineBench bench = new(new EngineOptions { UndoShare = share, ReaderBufferTokens = 8 }, parts: PairLadder.Parts());
        await Squeezed(bench, "pair1");
        TokenStream[] others = Others(bench, 13);
        Run(bench, 12, [], others, []);
        Assert.True(bench.Engine.Assign(Key, "f16"));

        long own = 0;
        long all = 0;
        for (int step = 0; step < 120; step++)
        {
            bench.Step();
            Array.ForEach(others, stream => EngineBench.Read(stream));
            (int _, int rows) = bench.Runner.Steps[^1];
            own += bench.Engine.Undos.LastRows;
            all += rows;
            Assert.True(rows > bench.Engine.Undos.LastRows, "The others stand still.");
            // One row at most was saved up from steps before.
            Assert.InRange(bench.Engine.Undos.LastRows, 0, ((rows - bench.Engine.Undos.LastRows) * share / (1 - share)) + 1);
        }

        Assert.InRange((double)own / all, 0, share);
        Assert.True(own >= 0.9 * share * all, $"{own} of {all} rows are less than the share of {share}.");
    }

    [Fact]
    public async Task A_running_session_never_waits_for_bytes_that_a_shadow_holds()
    {
        await using EngineBench bench = new(new EngineOptions { StepTokens = 32 }, columns: 24, parts: PairLadder.Parts());
        (SequenceHandle handle, int[] tokens) = await Squeezed(bench, "pair1");
        Assert.True(bench.Engine.Assign(Key, "f16"));
        bench.Steps(3);
        Assert.Single(bench.Engine.UndoQueue.Shadows);

        // Two requests that are promised nearly all there is.
        int[][] prompts = [EngineBench.Prompt(550, seed: 31), EngineBench.Prompt(550, seed: 32)];
        TokenStream[] streams = [.. prompts.Select((prompt, i) => EngineBench.Submit(bench.Open(session: $"big{i}"), bench.Spec(prompt, 80)))];
        bench.Step();
        Assert.Empty(bench.Engine.UndoQueue.Shadows);
        int[][] answers = [bench.Finish(streams[0]), bench.Finish(streams[1])];

        Assert.All(streams, stream => Assert.Equal(0, stream.End!.Waits));
        Assert.Equal(prompts.Select(prompt => HashModel.Greedy(prompt, 80)), answers);
        Assert.Equal(1, bench.Engine.Snapshot.AbandonedUndos);
        Assert.False(handle.Exact);
        Assert.True(handle.KvBytes > 0, "The idle session was given back, although there was a shadow.");
    }

    [Fact]
    public async Task No_shadow_is_begun_that_promises_leave_no_bytes_for()
    {
        await using EngineBench bench = new(new EngineOptions { StepTokens = 32, HighWatermark = 1 }, columns: 28, parts: PairLadder.Parts());
        (SequenceHandle handle, _) = await Squeezed(bench, "pair1");
        SequenceHandle[] big = [bench.Open(session: "big0"), bench.Open(session: "big1")];
        TokenStream[] streams = [.. big.Select((large, i) => EngineBench.Submit(large, bench.Spec(EngineBench.Prompt(550, 31 + i), 80)))];
        bench.Step();
        Assert.True(bench.Engine.Assign(Key, "f16"));
        bench.Steps(20);

        Assert.Equal((1, 0), (bench.Engine.Snapshot.UndoBacklog, bench.Engine.UndoQueue.Shadows.Count));
        Array.ForEach(streams, stream => bench.Finish(stream));
        Array.ForEach(big, bench.Close);
        bench.Steps(40);
        Assert.True(handle.Exact, "Memory is back, and the session is still squeezed.");
    }

    [Fact]
    public async Task A_session_in_economy_stays_where_it_is_while_it_runs_and_after()
    {
        await using EngineBench bench = new(parts: PairLadder.Parts());
        SequenceHandle handle = bench.Open();
        TokenStream stream = EngineBench.Submit(
            handle, bench.Spec(EngineBench.Prompt(400, 3), 40) with { Kv = new KvSpec { Mode = KvMode.Economy, FloorRung = "pair1" } });
        bench.Steps(15);

        Assert.True(bench.Engine.Assign(Key, "f16"));
        bench.Finish(stream);
        Assert.True(bench.Engine.Assign(Key, "f16"));
        bench.Steps(10);

        Assert.Equal(("pair1", 0L), (handle.Rung, bench.Engine.Snapshot.UndoneTokens));
    }

    [Fact]
    public async Task A_deeper_assignment_a_cancel_and_a_dispose_give_a_shadow_up_and_nothing_is_lost()
    {
        await using EngineBench bench = new(new EngineOptions { StepTokens = 64 }, parts: PairLadder.Parts());
        (SequenceHandle handle, int[] tokens) = await Squeezed(bench, "pair1");

        Shadowed(bench, "f16");
        Assert.True(bench.Engine.Assign(Key, "pair1"));
        bench.Step();
        Assert.Equal((0, 0), (bench.Engine.Snapshot.UndoBacklog, bench.Engine.UndoQueue.Shadows.Count));

        Shadowed(bench, "pair");
        int[] next = [.. tokens, 7];
        TokenStream stream = EngineBench.Submit(handle, bench.Spec(next, 200) with { Kv = new KvSpec { FloorRung = "pair1" } });
        bench.Steps(2);
        List<int> read = [.. EngineBench.Read(stream)];
        Assert.Single(bench.Engine.UndoQueue.Shadows);
        stream.Cancel(read.Count);
        bench.Step();
        Assert.Equal(HashModel.Greedy(next, read.Count), read);
        Assert.True(bench.Engine.Snapshot.AbandonedUndos >= 2);

        Assert.Single(bench.Engine.UndoQueue.Shadows); // idle again, it began anew
        bench.Close(handle);
        Assert.Equal((0, 0), (bench.Engine.Snapshot.UndoBacklog, bench.Engine.UndoQueue.Shadows.Count));
    }

    [Fact]
    public async Task A_step_that_fails_leaves_the_session_as_it_was()
    {
        await using EngineBench bench = new(parts: PairLadder.Parts());
        (SequenceHandle handle, int[] tokens) = await Squeezed(bench, "pair1");
        Assert.True(bench.Engine.Assign(Key, "f16"));
        bench.Runner.Before = _ => throw new InvalidOperationException("A fault.");
        bench.Step();
        bench.Runner.Before = null;

        Assert.Equal((0, "pair1"), (bench.Engine.Snapshot.UndoBacklog, handle.Rung));
        int[] next = [.. tokens, 9];
        Assert.Equal(
            HashModel.Greedy(next, 10), bench.Finish(EngineBench.Submit(handle, bench.Spec(next, 10) with { Kv = new KvSpec { FloorRung = "pair1" } })));
    }

    private static void Shadowed(EngineBench bench, string rung)
    {
        Assert.True(bench.Engine.Assign(Key, rung));
        bench.Steps(2);
        Assert.Single(bench.Engine.UndoQueue.Shadows);
    }

    private static async Task<(SequenceHandle Handle, int[] Tokens)> Squeezed(EngineBench bench, string rung, bool published = false)
    {
        SequenceHandle handle = bench.Open();
        int[] prompt = EngineBench.Prompt(500, 1);
        if (!published)
        {
            // It is on its rung before its prompt comes, so that no exact column but the first can be offered to the prefix cache.
            bench.Finish(EngineBench.Submit(handle, bench.Spec(prompt[..3], 1) with { Kv = new KvSpec { FloorRung = "pair1" } }));
            Assert.True(bench.Engine.Assign(Key, rung));
            bench.Step();
        }
        bench.Finish(EngineBench.Submit(handle, bench.Spec(prompt, 20) with { Kv = new KvSpec { FloorRung = "pair1" } }));
        Assert.True(bench.Engine.Assign(Key, rung));
        while (bench.Step())
        {
        }
        Assert.Equal((rung, false), (handle.Rung, handle.Exact));
        return await Task.FromResult((handle, handle.CopyTokens()));
    }

    private static (SequenceHandle Handle, TokenStream Stream, int[] Prompt, List<int> Read) Streaming(EngineBench bench, KvSpec kv)
    {
        int[] prompt = EngineBench.Prompt(300, seed: 2);
        SequenceHandle handle = bench.Open();
        return (handle, EngineBench.Submit(handle, bench.Spec(prompt, 300) with { Kv = kv }), prompt, []);
    }

    private static TokenStream[] Others(EngineBench bench, int count) => [.. Enumerable.Range(0, count).Select(i =>
        EngineBench.Submit(bench.Open(session: $"other{i}"), bench.Spec(EngineBench.Prompt(4, 100 + i), 500)))];

    private static void Run(EngineBench bench, int steps, TokenStream[] streams, TokenStream[] others, List<int> read)
    {
        for (int step = 0; step < steps; step++)
        {
            bench.Step();
            Array.ForEach(others, stream => EngineBench.Read(stream));
            Array.ForEach(streams, stream => read.AddRange(EngineBench.Read(stream)));
        }
    }
}
