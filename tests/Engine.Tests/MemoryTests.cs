using Concertina.Compute.Engine;
using Concertina.Engine.Tests.Kit;

namespace Concertina.Engine.Tests;

public sealed class MemoryTests
{
    [Fact]
    public async Task Requests_run_side_by_side_only_while_their_commitments_fit()
    {
        await using EngineBench bench = new(columns: 9);
        TokenStream[] streams = [.. Enumerable.Range(0, 4).Select(i => bench.Submit(EngineBench.Prompt(20, seed: i), 200))]; // 4 columns each

        bench.Step();

        Assert.Equal((2, 2), (bench.Engine.Snapshot.Running, bench.Engine.Snapshot.Queued));
        Assert.Equal(2 * bench.Cache.CommitmentBytes(220), bench.Engine.Snapshot.CommittedBytes);
        foreach (TokenStream stream in streams)
        {
            Assert.Equal(200, bench.Finish(stream).Length);
        }
    }

    [Fact]
    public async Task Streams_without_a_limit_wait_in_place_and_all_finish()
    {
        await using EngineBench bench = new(new EngineOptions { DefaultNewTokens = 20, MemoryWaitSeconds = 1000 }, columns: 15);
        int[][] prompts = [.. Enumerable.Range(0, 5).Select(i => EngineBench.Prompt(30, seed: i))];
        TokenStream[] streams = [.. prompts.Select(prompt => bench.Submit(prompt, maxNewTokens: null))]; // 10 columns each in the end

        List<int>[] read = [.. streams.Select(_ => new List<int>())];
        for (int step = 0; step < 6_000 && streams.Any(stream => stream.End is null); step++)
        {
            bench.Step();
            for (int i = 0; i < streams.Length; i++)
            {
                read[i].AddRange(EngineBench.Read(streams[i]));
            }
        }

        Assert.True(bench.Engine.Snapshot.MemoryWaits > 0, "The budget was meant to be short.");
        for (int i = 0; i < streams.Length; i++)
        {
            read[i].AddRange(EngineBench.Read(streams[i]));
            Assert.Equal(FinishKind.Length, streams[i].End!.Kind);
            Assert.Equal(HashModel.Greedy(prompts[i], HashModel.ContextLength - 30), read[i]);
        }
        Assert.Contains(streams, stream => stream.End!.Waits > 0);
    }

    [Fact]
    public async Task Streams_never_use_up_what_one_of_them_needs_to_finish()
    {
        await using EngineBench bench = new(
            new EngineOptions { DefaultNewTokens = 20, MemoryWaitSeconds = 1000, SlowReaderSeconds = 1000, ReaderBufferTokens = 20 }, columns: 12);
        TokenStream small = bench.Submit(EngineBench.Prompt(10, seed: 1), 110); // its reader is away: it holds its 2 columns and stands still
        TokenStream first = bench.Submit(EngineBench.Prompt(30, seed: 2), maxNewTokens: null); // 10 columns in the end
        TokenStream second = bench.Submit(EngineBench.Prompt(30, seed: 3), maxNewTokens: null);
        for (int step = 0; step < 400; step++)
        {
            bench.Step(); // half of what is free to each would leave neither enough
            EngineBench.Read(first);
            EngineBench.Read(second);
        }

        bench.Finish(small);
        for (int step = 0; step < 1_500; step++)
        {
            bench.Step();
            EngineBench.Read(first);
            EngineBench.Read(second);
        }

        Assert.Equal((FinishKind.Length, FinishKind.Length), (first.End?.Kind, second.End?.Kind));
        Assert.True(second.End!.Waits > 0);
    }

    [Fact]
    public async Task A_wait_for_memory_is_bounded_and_ends_with_an_error()
    {
        await using EngineBench bench = new(
            new EngineOptions { DefaultNewTokens = 20, MemoryWaitSeconds = 10, ReaderBufferTokens = 600, SlowReaderSeconds = 1000 }, columns: 12);
        TokenStream first = bench.Submit(EngineBench.Prompt(30, seed: 1), maxNewTokens: null);
        TokenStream second = bench.Submit(EngineBench.Prompt(30, seed: 2), maxNewTokens: null);
        bench.Steps(300); // both ran until the second's promise and what is free were used up

        bench.Time.Advance(TimeSpan.FromSeconds(10.1));
        bench.Step();

        Assert.Null(first.End);
        Assert.Equal((FinishKind.Error, "memory/wait-expired"), (second.End!.Kind, second.End.ErrorCode));
        Assert.True(second.End.Waits > 0);
        int[] generated = EngineBench.Read(second);
        Assert.Equal(HashModel.Greedy(EngineBench.Prompt(30, seed: 2), generated.Length), generated);
        bench.Finish(first);
    }

    [Fact]
    public async Task A_stream_that_fills_the_whole_budget_ends_with_an_error_that_says_so()
    {
        await using EngineBench bench = new(columns: 4);
        int[] prompt = EngineBench.Prompt(30, seed: 1);

        TokenStream stream = bench.Submit(prompt, maxNewTokens: null);
        int[] tokens = bench.Finish(stream);

        Assert.Equal("memory/budget-exhausted", stream.End!.ErrorCode);
        Assert.Equal(HashModel.Greedy(prompt, (4 * 64) - 30), tokens);
    }

    [Fact]
    public async Task Idle_sequences_give_way_oldest_first_and_come_back_by_recomputing()
    {
        await using EngineBench bench = new(columns: 10);
        SequenceHandle[] idle = [.. Enumerable.Range(0, 3).Select(i => bench.Open(session: $"s{i}"))];
        int[][] prompts = [.. Enumerable.Range(0, 3).Select(i => EngineBench.Prompt(150, seed: i))];
        for (int i = 0; i < 3; i++)
        {
            bench.Finish(EngineBench.Submit(idle[i], bench.Spec(prompts[i], 5))); // 3 columns each
        }
        Assert.All(idle, handle => Assert.Equal(154, handle.WarmTokens));

        // The arena has a little room beyond what may be promised; this takes most of it.
        bench.Finish(bench.Submit(EngineBench.Prompt(500, seed: 9), 100, tenant: "big"));
        for (int i = 10; bench.Engine.Snapshot.ReclaimedSequences == 0 && i < 60; i++)
        {
            bench.Finish(bench.Submit(EngineBench.Prompt(500, seed: i), 100, tenant: $"t{i}"));
        }

        Assert.True(bench.Engine.Snapshot.ReclaimedSequences > 0);
        Assert.Equal((0, 155), (idle[0].WarmTokens, idle[0].TokenCount));
        TokenStream again = EngineBench.Submit(idle[0], bench.Spec([.. prompts[0], 1, 2], 5));
        Assert.Equal(HashModel.Greedy([.. prompts[0], 1, 2], 5), bench.Finish(again));
    }
}
