using Concertina.Compute.Engine;
using Concertina.Compute.KvCache.Memory;
using Concertina.Engine.Tests.Kit;

namespace Concertina.Engine.Tests;

/// <summary>Changes of the KV budget while requests run.</summary>
public sealed class BudgetTests
{
    private const int Context = 2048;
    private const int PromptTokens = 1900;
    private const int Streams = 16;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Halved_under_load_the_memory_goes_back_within_the_slices_and_no_stream_ends_early(int seed)
    {
        const long slice = 1 << 17;
        const long urgent = 1 << 18;
        await using EngineBench bench = new(
            new EngineOptions { StepTokens = 256, TranscodeSliceBytes = slice, UrgentSliceBytes = urgent, ReaderBufferTokens = 400 }, columns: 560, Context, PairLadder.Parts());
        (TokenStream[] streams, int[][] prompts, List<int>[] read) = Load(bench, seed, new KvSpec { FloorRung = "pair1" }, 120);
        RunUntil(bench, streams, read, () => read.All(tokens => tokens.Count > 3));
        long budget = bench.Cache.BudgetBytes;
        long resident = bench.Cache.Interior.Arena.ResidentBytes;
        long promisable = bench.Cache.CommittableBytes;
        long target = budget - (promisable / 2);
        Assert.True(bench.Engine.Snapshot.Kv.UsedBytes - bench.EmptyBytes > 0.8 * promisable, "The load is meant to fill the budget.");

        Task<KvBudgetState> change = bench.Engine.ChangeBudgetAsync(target);
        long actual = budget;
        int steps = 0;
        long most = 0;
        RunUntil(bench, streams, read, () =>
        {
            Assert.InRange(bench.Engine.Squeezes.LastSliceBytes, 0, bench.Engine.Squeezes.SliceBytes);
            most = Math.Max(most, bench.Engine.Squeezes.LastSliceBytes);
            Assert.Contains(bench.Engine.Squeezes.SliceBytes, new[] { slice, urgent });
            Assert.InRange(bench.Engine.Snapshot.Budget.ActualBytes, target, actual); // it only falls
            actual = bench.Engine.Snapshot.Budget.ActualBytes;
            Assert.True(steps++ < 200, $"{bench.Engine.Snapshot.Budget} does not come closer.");
            return actual == target;
        });

        Assert.Equal(KvBudgetHold.Squeezing, (await change).Hold);
        KvBudgetState reached = bench.Engine.Snapshot.Budget;
        Assert.Equal((target, target, KvBudgetHold.None), (reached.TargetBytes, reached.ActualBytes, reached.Hold));
        Assert.Equal(bench.Engine.Snapshot.CommittedBytes, reached.PromisedBytes);
        Assert.True(steps > 5, "One step did it all.");
        Assert.True(most > slice, "Nothing was urgent.");
        long given = resident - bench.Cache.Interior.Arena.ResidentBytes;
        Assert.True(given >= 0.9 * (resident - (target - bench.EmptyBytes)), $"{given:N0} of {resident:N0} bytes were given back.");
        RunUntil(bench, streams, read, () => streams.All(stream => stream.End is not null));
        Assert.All(streams, stream => Assert.Equal(FinishKind.Length, stream.End!.Kind));
        Assert.All(prompts.Zip(read), pair => Assert.Equal(HashModel.Greedy(pair.First, 120), pair.Second));
    }

    [Fact]
    public async Task Promises_to_lossless_streams_hold_it_up_until_they_end()
    {
        await using EngineBench bench = new(new EngineOptions { StepTokens = 256, ReaderBufferTokens = 400 }, columns: 560, Context, PairLadder.Parts());
        (TokenStream[] streams, int[][] prompts, List<int>[] read) = Load(bench, 3, new KvSpec { Mode = KvMode.Lossless }, 100);
        RunUntil(bench, streams, read, () => read.All(tokens => tokens.Count > 3));
        long target = bench.Cache.BudgetBytes - (bench.Cache.CommittableBytes / 2);

        Task<KvBudgetState> change = bench.Engine.ChangeBudgetAsync(target);
        bench.Steps(10);

        KvBudgetState state = await change;
        Assert.Equal((target, KvBudgetHold.Commitments), (state.TargetBytes, state.Hold));
        Assert.True(state.PromisedBytes >= bench.Engine.Snapshot.CommittedBytes && state.ActualBytes > target);
        RunUntil(bench, streams, read, () => streams.All(stream => stream.End is not null));
        bench.Steps(40);
        Assert.All(streams, stream => Assert.Equal((FinishKind.Length, 0), (stream.End!.Kind, stream.End.Waits)));
        Assert.All(prompts.Zip(read), pair => Assert.Equal(HashModel.Greedy(pair.First, 100), pair.Second));
        Assert.Equal((target, KvBudgetHold.None), (bench.Engine.Snapshot.Budget.ActualBytes, bench.Engine.Snapshot.Budget.Hold));
    }

    [Fact]
    public async Task A_larger_budget_holds_at_once_and_requests_that_waited_are_admitted()
    {
        await using EngineBench bench = new(new EngineOptions { StepTokens = 256 }, columns: 200, Context, PairLadder.Parts());
        long full = bench.Cache.BudgetBytes;
        Assert.Equal(KvBudgetHold.None, await Change(bench, full - (bench.Cache.CommittableBytes * 3 / 4)));
        TokenStream first = bench.Submit(EngineBench.Prompt(1500, 1), 300);
        TokenStream second = bench.Submit(EngineBench.Prompt(1500, 2), 300);
        bench.Steps(4);
        Assert.Equal((1, 1), (bench.Engine.Snapshot.Running, bench.Engine.Snapshot.Queued));

        Assert.Equal(KvBudgetHold.None, await Change(bench, full));

        Assert.Equal((2, 0), (bench.Engine.Snapshot.Running, bench.Engine.Snapshot.Queued));
        bench.Finish(first);
        Assert.Equal(HashModel.Greedy(EngineBench.Prompt(1500, 2), 300), bench.Finish(second));
    }

    [Fact]
    public async Task Idle_sessions_that_cannot_be_squeezed_are_given_back_the_longest_idle_first()
    {
        await using EngineBench bench = new(new EngineOptions { StepTokens = 256 }, columns: 200, Context);
        SequenceHandle[] handles = [.. Enumerable.Range(0, 6).Select(i => bench.Open(session: $"s{i}"))];
        foreach ((int i, SequenceHandle handle) in handles.Index())
        {
            bench.Finish(EngineBench.Submit(handle, bench.Spec(EngineBench.Prompt(1800, i), 4)));
        }

        Assert.Equal(KvBudgetHold.Squeezing, await Change(bench, bench.Cache.BudgetBytes - (bench.Cache.CommittableBytes / 2)));
        bench.Steps(30);

        Assert.Equal(KvBudgetHold.None, bench.Engine.Snapshot.Budget.Hold);
        Assert.All(handles[3..], handle => Assert.True(handle.KvBytes > 0));
        Assert.Equal(0, handles[0].KvBytes);
    }

    [Fact]
    public async Task New_requests_are_measured_by_the_target_and_those_that_wait_are_told()
    {
        await using EngineBench bench = new(new EngineOptions { StepTokens = 256 }, columns: 60, Context, PairLadder.Parts());
        KvSpec lossless = new() { Mode = KvMode.Lossless };
        TokenStream running = EngineBench.Submit(bench.Open(), bench.Spec(EngineBench.Prompt(1900, 1), 100) with { Kv = lossless });
        TokenStream waits = EngineBench.Submit(bench.Open(session: "w"), bench.Spec(EngineBench.Prompt(1900, 2), 100) with { Kv = lossless });
        bench.Steps(3);

        Task<KvBudgetState> change = bench.Engine.ChangeBudgetAsync(bench.Cache.BudgetBytes - (bench.Cache.CommittableBytes * 3 / 4));
        bench.Step();
        SubmitResult later = EngineBench.TrySubmit(bench.Open(session: "l"), bench.Spec(EngineBench.Prompt(1900, 3), 100) with { Kv = lossless });

        Assert.Equal(KvBudgetHold.Commitments, (await change).Hold);
        Assert.Equal((RefusalKind.NeverFits, RefusalKind.NeverFits), (waits.End!.Refusal!.Kind, later.Refusal!.Kind));
        Assert.Equal(HashModel.Greedy(EngineBench.Prompt(1900, 1), 100), bench.Finish(running));
    }

    [Fact]
    public async Task A_budget_out_of_bounds_is_refused_with_the_bytes_and_changes_nothing()
    {
        await using EngineBench bench = new(columns: 60, contextLength: Context);
        long before = bench.Cache.BudgetBytes;

        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => Change(bench, before + 1));
        ArgumentException problem = await Assert.ThrowsAsync<ArgumentException>(() => Change(bench, 1 << 20));

        Assert.Contains("1,048,576 bytes is too small", problem.Message, StringComparison.Ordinal);
        Assert.Equal((before, before), (bench.Cache.BudgetBytes, bench.Engine.Snapshot.Budget.TargetBytes));
    }

    [Fact]
    public async Task The_least_budget_it_names_is_taken_and_a_byte_less_is_not()
    {
        await using EngineBench bench = new(columns: 60, contextLength: Context);
        KvBudgetState state = bench.Engine.Snapshot.Budget;
        Assert.Equal(bench.Cache.BudgetBytes, state.MostBytes);

        await Assert.ThrowsAsync<ArgumentException>(() => Change(bench, state.LeastBytes - 1));

        await Change(bench, state.LeastBytes);
        Assert.Equal(state.LeastBytes, bench.Engine.Snapshot.Budget.TargetBytes);
    }

    [Fact]
    public async Task Of_budgets_asked_for_before_a_step_the_last_one_counts()
    {
        await using EngineBench bench = new(columns: 2000);
        long before = bench.Cache.BudgetBytes;
        Task<KvBudgetState> first = bench.Engine.ChangeBudgetAsync(before - ExtentArena.ExtentBytes);
        Task<KvBudgetState> second = bench.Engine.ChangeBudgetAsync(before - (2 * ExtentArena.ExtentBytes));
        bench.Step();

        Assert.Equal(await first, await second);
        Assert.Equal(before - (2 * ExtentArena.ExtentBytes), bench.Cache.BudgetBytes);
    }

    private static async Task<KvBudgetHold> Change(EngineBench bench, long bytes)
    {
        Task<KvBudgetState> change = bench.Engine.ChangeBudgetAsync(bytes);
        bench.Step();
        return (await change).Hold;
    }

    private static (TokenStream[] Streams, int[][] Prompts, List<int>[] Read) Load(EngineBench bench, int seed, KvSpec kv, int tokens)
    {
        int[][] prompts = [.. Enumerable.Range(0, Streams).Select(i => EngineBench.Prompt(PromptTokens, (100 * seed) + i))];
        TokenStream[] streams = [.. prompts.Select((prompt, i) =>
            EngineBench.Submit(bench.Open(session: $"s{i}"), bench.Spec(prompt, tokens) with { Kv = kv }))];
        return (streams, prompts, [.. streams.Select(_ => new List<int>())]);
    }

    private static void RunUntil(EngineBench bench, TokenStream[] streams, List<int>[] read, Func<bool> done)
    {
        for (int step = 0; !done(); step++)
        {
            Assert.True(step < 2000, $"Nobody moves: {bench.Engine.Snapshot}");
            bench.Step();
            for (int i = 0; i < streams.Length; i++)
            {
                read[i].AddRange(EngineBench.Read(streams[i]));
            }
        }
    }
}
