using Concertina.Compute.Engine;
using Concertina.Compute.KvCache;
using Concertina.Engine.Tests.Kit;

namespace Concertina.Engine.Tests;

public sealed class SessionTests
{
    [Fact]
    public async Task A_second_turn_reuses_all_but_the_last_token_of_the_first()
    {
        await using EngineBench bench = new();
        SequenceHandle handle = bench.Open();
        int[] first = EngineBench.Prompt(100, seed: 1);
        int[] answer = bench.Finish(EngineBench.Submit(handle, bench.Spec(first, 20)));
        int[] second = [.. first, .. answer, .. EngineBench.Prompt(10, seed: 2)];

        TokenStream stream = EngineBench.Submit(handle, bench.Spec(second, 20));
        int[] tokens = bench.Finish(stream);

        Assert.Equal(119, stream.CachedTokens); // the last token of an answer is never fed
        Assert.Equal(HashModel.Greedy(second, 20), tokens);
    }

    [Fact]
    public async Task The_same_prompt_again_recomputes_its_last_token_only()
    {
        await using EngineBench bench = new();
        SequenceHandle handle = bench.Open();
        int[] prompt = EngineBench.Prompt(128, seed: 1);
        bench.Finish(EngineBench.Submit(handle, bench.Spec(prompt, 5)));

        TokenStream stream = EngineBench.Submit(handle, bench.Spec(prompt, 5));
        int[] tokens = bench.Finish(stream);

        Assert.Equal(127, stream.CachedTokens);
        Assert.Equal(HashModel.Greedy(prompt, 5), tokens);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(70)]
    [InlineData(99)]
    public async Task A_prompt_that_departs_is_cut_there(int common)
    {
        await using EngineBench bench = new();
        SequenceHandle handle = bench.Open();
        int[] prompt = EngineBench.Prompt(100, seed: 1);
        bench.Finish(EngineBench.Submit(handle, bench.Spec(prompt, 30)));
        int[] other = [.. prompt[..common], (prompt[common] + 1) % HashModel.VocabularySize, .. EngineBench.Prompt(40, seed: 9)];

        TokenStream stream = EngineBench.Submit(handle, bench.Spec(other, 30));
        int[] tokens = bench.Finish(stream);

        Assert.Equal(common, stream.CachedTokens);
        Assert.Equal(HashModel.Greedy(other, 30), tokens);
    }

    [Fact]
    public async Task Another_session_of_the_tenant_adopts_full_columns_and_another_tenant_does_not()
    {
        await using EngineBench bench = new();
        int[] prompt = EngineBench.Prompt(200, seed: 1);
        bench.Finish(bench.Submit(prompt));

        TokenStream same = bench.Submit(prompt);
        TokenStream foreign = bench.Submit(prompt, tenant: "other");
        int[] sameTokens = bench.Finish(same);
        int[] foreignTokens = bench.Finish(foreign);

        Assert.Equal((192, 0), (same.CachedTokens, foreign.CachedTokens));
        Assert.Equal(HashModel.Greedy(prompt, 8), sameTokens);
        Assert.Equal(sameTokens, foreignTokens);
    }

    [Fact]
    public async Task Restored_tokens_are_recomputed_on_the_next_request()
    {
        await using EngineBench bench = new();
        SequenceHandle handle = bench.Open();
        int[] tokens = EngineBench.Prompt(90, seed: 4);

        handle.RestoreTokens(tokens);
        Assert.Equal((90, 0), (handle.TokenCount, handle.WarmTokens));
        TokenStream stream = EngineBench.Submit(handle, bench.Spec(tokens, 5));
        bench.Finish(stream);

        Assert.Equal(0, stream.CachedTokens);
        Assert.Equal((95, 94), (handle.TokenCount, handle.WarmTokens));
        Assert.Throws<InvalidOperationException>(() => handle.RestoreTokens(tokens));
    }

    [Fact]
    public async Task A_cancel_cuts_tokens_and_units_within_a_step_and_keeps_what_was_asked()
    {
        await using EngineBench bench = new();
        SequenceHandle handle = bench.Open();
        int[] prompt = EngineBench.Prompt(60, seed: 5);
        TokenStream stream = EngineBench.Submit(handle, bench.Spec(prompt, 200));
        bench.Steps(30);

        stream.Cancel(keepTokens: 7);
        bench.Step();

        int[] all = HashModel.Greedy(prompt, 30);
        Assert.Equal((FinishKind.Cancelled, 30), (stream.End!.Kind, stream.End.GeneratedTokens));
        Assert.Equal([.. prompt, .. all[..7]], handle.CopyTokens());
        Assert.Equal((67, 67, false), (handle.TokenCount, handle.WarmTokens, handle.Busy));
        Assert.Equal(all[..7], EngineBench.Read(stream)); // tokens beyond the cut are not delivered
        Assert.Equal(0, bench.Engine.Snapshot.CommittedBytes);
    }

    [Fact]
    public async Task A_cancel_after_the_end_still_cuts()
    {
        await using EngineBench bench = new();
        SequenceHandle handle = bench.Open();
        int[] prompt = EngineBench.Prompt(60, seed: 5);
        TokenStream stream = EngineBench.Submit(handle, bench.Spec(prompt, 20));
        int[] tokens = bench.Finish(stream);

        stream.Cancel(keepTokens: 3);

        Assert.Equal([.. prompt, .. tokens[..3]], handle.CopyTokens());
        bench.Step();
        Assert.Equal(63, handle.WarmTokens);
        Assert.Equal(FinishKind.Length, stream.End!.Kind);
    }

    [Fact]
    public async Task A_request_cancelled_in_the_queue_never_runs_and_leaves_the_session_as_it_was()
    {
        await using EngineBench bench = new(new EngineOptions { MaxRunning = 1 });
        SequenceHandle handle = bench.Open();
        int[] prompt = EngineBench.Prompt(10, seed: 1);
        bench.Finish(EngineBench.Submit(handle, bench.Spec(prompt, 4)));
        int[] before = handle.CopyTokens();
        TokenStream running = bench.Submit(EngineBench.Prompt(10, seed: 2), maxNewTokens: 30);
        bench.Step();
        TokenStream queued = EngineBench.Submit(handle, bench.Spec(EngineBench.Prompt(50, seed: 3)));
        bench.Step();

        queued.Cancel();
        bench.Step();

        Assert.Equal((FinishKind.Cancelled, 0), (queued.End!.Kind, queued.End.GeneratedTokens));
        Assert.Equal(before, handle.CopyTokens());
        bench.Finish(running);
        Assert.Equal(4 + 30, bench.Engine.Snapshot.GeneratedTokens);
    }

    [Fact]
    public async Task A_second_request_is_busy_unless_the_first_is_already_cancelled()
    {
        await using EngineBench bench = new();
        SequenceHandle handle = bench.Open();
        TokenStream first = EngineBench.Submit(handle, bench.Spec(EngineBench.Prompt(10, seed: 1), 100));
        bench.Steps(3);

        Assert.Equal(RefusalKind.Busy, EngineBench.TrySubmit(handle, bench.Spec([1, 2])).Refusal!.Kind);
        first.Cancel();
        Task<SubmitResult> second = handle.SubmitAsync(bench.Spec([1, 2]), CancellationToken.None).AsTask();
        Assert.False(second.IsCompleted);
        bench.Step();

        Assert.NotNull((await second).Generation);
    }

    [Fact]
    public async Task Waiting_for_a_cancelled_predecessor_ends_after_a_second()
    {
        await using EngineBench bench = new();
        SequenceHandle handle = bench.Open();
        TokenStream first = EngineBench.Submit(handle, bench.Spec(EngineBench.Prompt(10, seed: 1), 100));
        bench.Steps(3);
        first.Cancel();

        Task<SubmitResult> second = handle.SubmitAsync(bench.Spec([1, 2]), CancellationToken.None).AsTask();
        bench.Time.Advance(TimeSpan.FromSeconds(1.1));

        Assert.Equal(RefusalKind.Busy, (await second).Refusal!.Kind);
    }

    [Fact]
    public async Task Disposing_a_handle_ends_its_generation_and_leaves_full_columns_only()
    {
        await using EngineBench bench = new();
        SequenceHandle handle = bench.Open();
        TokenStream stream = EngineBench.Submit(handle, bench.Spec(EngineBench.Prompt(130, seed: 1), 100));
        bench.Steps(5);

        bench.Close(handle);

        Assert.Equal(FinishKind.Cancelled, stream.End!.Kind);
        KvCacheStatistics kv = bench.Cache.Statistics();
        Assert.Equal((2, 2L * FakeRunner.Shape.HeadCount), (kv.PrefixColumns, kv.LiveUnits));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => handle.SubmitAsync(bench.Spec([1]), CancellationToken.None).AsTask());
    }
}
