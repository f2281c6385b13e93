using Concertina.Compute.Engine;
using Concertina.Compute.KvCache;
using Concertina.Engine.Tests.Kit;

namespace Concertina.Engine.Tests;

public sealed class FaultTests
{
    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.NegativeInfinity)]
    public async Task Logits_that_are_not_finite_end_that_sequence_and_no_other(float bad)
    {
        await using EngineBench bench = new();
        int[] good = EngineBench.Prompt(70, seed: 1);
        TokenStream healthy = bench.Submit(good, 40);
        SequenceHandle handle = bench.Open();
        TokenStream sick = EngineBench.Submit(handle, bench.Spec(EngineBench.Prompt(90, seed: 2), 40));
        bench.Runner.Spoil = (span, logits) =>
        {
            if (span.FirstPosition >= 100)
            {
                logits.Span[13] = bad;
            }
        };

        int[] sickTokens = bench.Finish(sick);

        Assert.Equal((FinishKind.Error, "decode/not-finite"), (sick.End!.Kind, sick.End.ErrorCode));
        Assert.Contains("position 101", sick.End.ErrorMessage, StringComparison.Ordinal);
        Assert.Equal(HashModel.Greedy(EngineBench.Prompt(90, seed: 2), 11), sickTokens);
        Assert.Equal(0, handle.WarmTokens);
        bench.Runner.Spoil = null;
        Assert.Equal(HashModel.Greedy(good, 40), bench.Finish(healthy));
        Assert.Null(bench.Engine.Snapshot.StalledStage);
    }

    [Fact]
    public async Task A_prompt_whose_logits_are_not_finite_leaves_nothing_in_the_prefix_cache()
    {
        await using EngineBench bench = new(new EngineOptions { StepTokens = 64 });
        bench.Runner.Spoil = (_, logits) => logits.Span[0] = float.NaN;

        TokenStream stream = bench.Submit(EngineBench.Prompt(300, seed: 2));
        bench.Finish(stream);

        Assert.Equal("decode/not-finite", stream.End!.ErrorCode);
        Assert.Equal((0, 0L), (bench.Cache.Statistics().PrefixColumns, bench.Cache.Statistics().LiveUnits));
    }

    [Fact]
    public async Task A_stream_that_loses_units_computes_them_again_goes_on_as_it_would_have_and_is_counted()
    {
        await using EngineBench bench = new();
        int[] prompt = EngineBench.Prompt(200, seed: 3);
        TokenStream stream = bench.Submit(prompt, 20);
        PageTable? table = null;
        bench.Runner.Before = batch => table = batch.Spans[0].Table;
        bench.Steps(3);

        bench.Cache.Truncate(table!, 150);
        bench.Preemptions = 1;

        Assert.Equal(HashModel.Greedy(prompt, 20), bench.Finish(stream));
    }

    [Fact]
    public async Task A_failing_forward_ends_its_sequences_and_the_engine_goes_on()
    {
        await using EngineBench bench = new(new EngineOptions { MaxRunning = 1 });
        TokenStream unlucky = bench.Submit([1, 2, 3], 20);
        TokenStream next = bench.Submit([4, 5], 5);
        bench.Steps(3);
        bench.Runner.Before = _ => throw new InvalidOperationException("the kernel broke");
        bench.Step();
        bench.Runner.Before = null;

        Assert.Equal((FinishKind.Error, "engine/failed"), (unlucky.End!.Kind, unlucky.End.ErrorCode));
        Assert.Contains("the kernel broke", unlucky.End.ErrorMessage, StringComparison.Ordinal);
        Assert.Equal(HashModel.Greedy([4, 5], 5), bench.Finish(next));
    }

    [Fact]
    public async Task An_engine_that_fails_again_and_again_ends_everything_and_says_so()
    {
        await using EngineBench bench = new();
        bench.Runner.Before = _ => throw new InvalidOperationException("the kernel broke");
        TokenStream last = bench.Submit([1], 5);
        for (int i = 0; i < 3; i++)
        {
            last = bench.Submit([1], 5);
            bench.Engine.StepOnce();
        }
        EngineSnapshot snapshot = bench.Engine.Snapshot;

        Assert.Equal("engine/failed", last.End!.ErrorCode);
        Assert.Equal("forward", snapshot.StalledStage);
        Assert.Contains("the kernel broke", snapshot.Failure, StringComparison.Ordinal);
        Assert.Equal(RefusalKind.Stalled, EngineBench.TrySubmit(bench.Open(), bench.Spec([1])).Refusal!.Kind);
    }

    [Fact]
    public async Task A_slow_reader_makes_its_own_sequence_skip_steps_and_is_ended_in_time()
    {
        await using EngineBench bench = new(new EngineOptions { ReaderBufferTokens = 4, SlowReaderSeconds = 30 });
        int[] prompt = EngineBench.Prompt(10, seed: 1);
        SequenceHandle handle = bench.Open();
        TokenStream slow = EngineBench.Submit(handle, bench.Spec(prompt, 100));
        TokenStream quick = bench.Submit([9], 50);
        int[] quickTokens = bench.Finish(quick);
        Assert.Equal(50, quickTokens.Length);
        Assert.False(bench.Step()); // nothing to do: the one left is full

        bench.Time.Advance(TimeSpan.FromSeconds(29));
        bench.Step();
        Assert.Equal(HashModel.Greedy(prompt, 4), EngineBench.Read(slow));
        bench.Steps(2);
        bench.Time.Advance(TimeSpan.FromSeconds(29));
        bench.Step();
        Assert.Null(slow.End);
        bench.Steps(4);
        bench.Time.Advance(TimeSpan.FromSeconds(30.1));
        bench.Step();

        Assert.Equal((FinishKind.Error, "decode/slow-reader"), (slow.End!.Kind, slow.End.ErrorCode));
        Assert.Equal(0, bench.Engine.Snapshot.CommittedBytes);
        Assert.Equal(HashModel.Greedy(prompt, 8)[4..], EngineBench.Read(slow));
        Assert.Equal([.. prompt, .. HashModel.Greedy(prompt, 8)], handle.CopyTokens());
    }

    [Fact]
    public async Task Disposing_the_engine_ends_what_runs_and_waits_with_an_error_and_frees_every_unit()
    {
        await using EngineBench bench = new(new EngineOptions { MaxRunning = 1 });
        SequenceHandle handle = bench.Open();
        TokenStream running = EngineBench.Submit(handle, bench.Spec([1, 2], 50));
        bench.Steps(3);
        TokenStream queued = bench.Submit([3], 5);

        await bench.Engine.DisposeAsync();

        Assert.Equal("engine/stopped", running.End!.ErrorCode);
        Assert.Equal("engine/stopped", queued.End!.ErrorCode);
        Assert.Equal(0, bench.Cache.Statistics().LiveUnits);
        Assert.Equal(RefusalKind.Draining, EngineBench.TrySubmit(handle, bench.Spec([1])).Refusal!.Kind);
        await handle.DisposeAsync();
        Assert.Throws<ObjectDisposedException>(() => bench.Open());
    }

    [Fact]
    public async Task The_watchdog_names_a_stage_that_lasts_too_long_and_refuses_until_it_moves()
    {
        using PagedKvCache cache = new(FakeRunner.Shape, new KvCacheOptions { BudgetBytes = 64 << 20 });
        SemaphoreSlim entered = new(0);
        SemaphoreSlim release = new(0);
        using FakeRunner runner = new(cache)
        {
            Before = _ =>
            {
                entered.Release();
                Assert.True(release.Wait(TimeSpan.FromSeconds(60)), "Nobody released the step.");
            },
        };
        Microsoft.Extensions.Time.Testing.FakeTimeProvider time = new();
        await using InferenceEngine engine = new(runner, cache, new EngineOptions { StallSeconds = 10 }, new EngineServices { Time = time });
        SequenceHandle handle = engine.Open(new SequenceIdentity("t/s", "t", PrefixScope.For("t", null)));
        SubmitResult result = await handle.SubmitAsync(
            new GenerationSpec { RequestId = "r", Prompt = EngineBench.Prompt(1, seed: 1), MaxNewTokens = 1 }, CancellationToken.None);
        await entered.WaitAsync();

        time.Advance(TimeSpan.FromSeconds(0.25)); // the watchdog sees the stage
        time.Advance(TimeSpan.FromSeconds(9));
        Assert.Null(engine.Snapshot.StalledStage);
        time.Advance(TimeSpan.FromSeconds(2));

        Assert.Equal("forward", engine.Snapshot.StalledStage);
        SequenceHandle other = engine.Open(new SequenceIdentity("t/o", "t", PrefixScope.For("t", null)));
        Assert.Equal(RefusalKind.Stalled, (await other.SubmitAsync(
            new GenerationSpec { RequestId = "q", Prompt = EngineBench.Prompt(1, seed: 1) }, CancellationToken.None)).Refusal!.Kind);
        release.Release();
        Assert.Equal(1, await result.Generation!.ReadAsync(new int[4], CancellationToken.None));
        await handle.DisposeAsync(); // its command has been carried out, so the thread has moved on
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(engine.Snapshot.StalledStage);
    }

    [Fact]
    public async Task A_cache_that_breaks_while_units_are_given_back_still_answers_the_reader()
    {
        EngineBench bench = new();
        SequenceHandle handle = bench.Open();
        TokenStream stream = EngineBench.Submit(handle, bench.Spec([1, 2, 3], 50));
        bench.Steps(4);
        bench.Cache.Release(((OpenSequence)handle).Sequence.Table!);

        stream.Cancel();
        bench.Engine.StepOnce();

        Assert.Equal((FinishKind.Error, "engine/failed"), (stream.End!.Kind, stream.End.ErrorCode));
        Assert.False(stream.End.Exact);
        Assert.NotNull(bench.Engine.Snapshot.StalledStage);
    }

    [Fact]
    public async Task Requests_that_end_in_the_step_that_admits_them_are_no_stall()
    {
        EngineOptions options = new() { MaxRunning = 1, StallSeconds = 1 };
        await using EngineBench bench = new(options);
        Queue<TokenStream> waiting = new([bench.Submit([1], 1), bench.Submit([2], 1)]);
        for (int second = 0; second < 4; second++)
        {
            waiting.Enqueue(bench.Submit([3], 1));
            bench.Step();
            bench.Finish(waiting.Dequeue());
            bench.Time.Advance(TimeSpan.FromSeconds(0.75));

            Assert.Null(bench.Engine.Snapshot.StalledStage);
        }
    }

    [Fact]
    public async Task The_layer_that_left_the_16_bit_range_is_named()
    {
        await using EngineBench bench = new();
        bench.Runner.Spoil = (_, logits) => logits.Span[0] = float.NaN;

        TokenStream stream = bench.Submit([1, 2]);
        bench.Finish(stream);

        Assert.Contains("past the last attention", stream.End!.ErrorMessage, StringComparison.Ordinal);
    }
}
