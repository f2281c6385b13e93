using Concertina.Compute.Engine;
using Concertina.Contracts.Sessions;
using Concertina.Grains.Tests.Fakes;

namespace Concertina.Grains.Tests.Sessions;

public sealed class SequenceGrainTests : IAsyncLifetime
{
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(30);
    private TestSilo _silo = null!;

    public async ValueTask InitializeAsync() => _silo = await TestSilo.Start();

    public ValueTask DisposeAsync() => _silo.DisposeAsync();

    [Fact]
    public async Task No_token_is_lost_or_doubled_however_they_come()
    {
        Random random = new(5);
        await using Stream stream = new(_silo.Session(), Stream.Request("r", 1, 2, 3));
        Task<FinishFacts> reading = TestSilo.ReadAll(stream);
        FakeGeneration generation = await _silo.Submitted();
        int[] all = [.. Enumerable.Range(0, 5_000)];
        for (int at = 0; at < all.Length;)
        {
            int count = Math.Min(random.Next(1, 700), all.Length - at);
            generation.Send(all.AsSpan(at, count));
            at += count;
            await Task.Yield();
        }
        generation.Complete();

        FinishFacts finish = await reading.WaitAsync(Guard);

        Assert.Equal(FinishReason.Stop, finish.Reason);
        Assert.Equal(all.Length, finish.GeneratedTokens);
        Assert.Equal(all, stream.Tokens);
    }

    [Fact]
    public async Task The_first_chunk_is_the_admission_and_names_what_was_reused()
    {
        await _silo.Turn("one", [1, 2, 3, 4], [5, 6]);
        await using Stream stream = new(_silo.Session(), Stream.Request("two", 1, 2, 3, 4, 5, 6, 7));
        Task<AdmissionFacts> admission = stream.Admission();
        (await _silo.Submitted()).Send(8);

        AdmissionFacts facts = await admission;

        Assert.Equal((7, 6, "test-class"), (facts.PromptTokens, facts.CachedTokens, facts.DeterminismClass));
    }

    [Fact]
    public async Task A_second_request_gets_busy_and_the_first_goes_on()
    {
        await using Stream first = new(_silo.Session(), Stream.Request("first", 1));
        Task<AdmissionFacts> admission = first.Admission();
        FakeGeneration generation = await _silo.Submitted();
        generation.Send(2);
        await admission;

        await using Stream second = new(_silo.Session(), Stream.Request("second", 1));
        Refusal refusal = await RefusedInTime(second);

        Assert.Equal(RefusalReason.SessionBusy, refusal.Reason);
        Assert.NotNull(refusal.RetryAfterMs);
        generation.Complete();
        Assert.Equal(FinishReason.Stop, (await first.Finish()).Reason);
    }

    [Fact]
    public async Task After_the_finish_chunk_the_session_is_free_even_if_its_reader_never_reads_on()
    {
        Stream first = new(_silo.Session(), Stream.Request("first", 1));
        Task<AdmissionFacts> admission = first.Admission();
        FakeGeneration generation = await _silo.Submitted();
        generation.Send(2);
        generation.Complete();
        await admission;
        TokenChunk last = await first.Next();
        while (last.Finish is null)
        {
            last = await first.Next();
        }

        await _silo.Turn("second", [1, 2, 3], [4]);
        await first.DisposeAsync();
    }

    [Fact]
    public async Task Cancel_keeps_the_tokens_the_caller_names()
    {
        await using Stream stream = new(_silo.Session(), Stream.Request("r", 1, 2));
        Task<AdmissionFacts> admission = stream.Admission();
        FakeGeneration generation = await _silo.Submitted();
        generation.Send(3, 4, 5, 6);
        await admission;

        await _silo.Session().Cancel("other-request", 0);
        Assert.Null(generation.End);
        await _silo.Session().Cancel("r", 2);

        Assert.Equal(FinishReason.Cancelled, (await stream.Finish()).Reason);
        Assert.Equal(2, generation.KeptByCancel);
        Assert.Equal([1, 2, 3, 4], _silo.Engine.TheHandle.CopyTokens());
    }

    [Fact]
    public async Task A_client_that_goes_away_ends_its_generation_and_frees_the_session()
    {
        Stream stream = new(_silo.Session(), Stream.Request("gone", 1, 2));
        Task<AdmissionFacts> admission = stream.Admission();
        FakeGeneration generation = await _silo.Submitted();
        generation.Send(3);
        await admission;

        await stream.Disconnect();

        await _silo.Turn("next", [1, 2], [9]);
        Assert.Equal(FinishKind.Cancelled, generation.End?.Kind);
    }

    [Fact]
    public async Task A_request_waits_up_to_a_second_for_a_predecessor_whose_client_is_gone()
    {
        await using Stream first = new(_silo.Session(), Stream.Request("first", 1));
        Task<AdmissionFacts> admission = first.Admission();
        FakeGeneration generation = await _silo.Submitted();
        generation.Send(2);
        await admission;
        generation.IgnoresCancel = true;
        await _silo.Session().Cancel("first", 1);

        await using Stream second = new(_silo.Session(), Stream.Request("second", 1, 2));
        Task<AdmissionFacts> waiting = second.Admission();
        Task<FinishFacts> ending = first.Finish();
        await _silo.Session().Status();
        Assert.False(waiting.IsCompleted);

        generation.IgnoresCancel = false;
        generation.Cancel(1);
        Assert.Equal(FinishReason.Cancelled, (await ending).Reason);
        FakeGeneration next = await _silo.Submitted();
        next.Send(7);
        Assert.Equal(2, (await waiting).PromptTokens);
    }

    [Fact]
    public async Task A_predecessor_that_does_not_end_within_the_second_leaves_the_session_busy()
    {
        await using Stream first = new(_silo.Session(), Stream.Request("first", 1));
        Task<AdmissionFacts> admission = first.Admission();
        FakeGeneration generation = await _silo.Submitted();
        generation.Send(2);
        await admission;
        generation.IgnoresCancel = true;
        await _silo.Session().Cancel("first", 1);

        await using Stream second = new(_silo.Session(), Stream.Request("second", 1, 2));
        Assert.Equal(RefusalReason.SessionBusy, (await RefusedInTime(second)).Reason);
        generation.IgnoresCancel = false;
        generation.Cancel();
    }

    [Theory]
    [InlineData(RefusalKind.ContextLength, RefusalReason.ContextLength)]
    [InlineData(RefusalKind.NeverFits, RefusalReason.NeverFits)]
    [InlineData(RefusalKind.QueueFull, RefusalReason.QueueFull)]
    [InlineData(RefusalKind.Draining, RefusalReason.Draining)]
    [InlineData(RefusalKind.Stalled, RefusalReason.Unavailable)]
    [InlineData(RefusalKind.Invalid, RefusalReason.Invalid)]
    public async Task What_the_engine_refuses_reaches_the_caller_with_its_numbers(RefusalKind kind, RefusalReason reason)
    {
        _silo.Engine.Refusal = new EngineRefusal(kind, "why", 17, 5, 3);
        await using Stream stream = new(_silo.Session(), Stream.Request("r", 1));

        Refusal refusal = await stream.Refused();

        Assert.Equal((reason, "why", 17, 5, 3), (refusal.Reason, refusal.Message, refusal.RetryAfterMs!.Value, refusal.NeededBytes!.Value, refusal.AvailableBytes!.Value));
        _silo.Engine.Refusal = null;
        await _silo.Turn("after", [1], [2]);
    }

    [Fact]
    public async Task An_engine_error_ends_the_stream_with_stage_and_cause()
    {
        await using Stream stream = new(_silo.Session(), Stream.Request("r", 1));
        Task<AdmissionFacts> admission = stream.Admission();
        FakeGeneration generation = await _silo.Submitted();
        generation.Send(2);
        generation.Complete(FinishKind.Error);
        await admission;

        FinishFacts finish = await stream.Finish();

        Assert.Equal((FinishReason.Error, "decode/not-finite"), (finish.Reason, finish.ErrorCode));
        Assert.Equal([2], stream.Tokens);
    }

    [Fact]
    public async Task A_request_of_another_tenant_model_or_epoch_is_refused()
    {
        _silo.Worker.Begin(2);
        GenerateRequest good = Stream.Request("r", 1);
        await Refuses(good with { TenantId = "other" }, RefusalReason.Invalid);
        await Refuses(good with { Model = "other" }, RefusalReason.Invalid);
        await Refuses(good with { PromptTokens = 2 }, RefusalReason.Invalid);
        await Refuses(good with { RouteEpoch = _silo.Worker.Epoch - 1 }, RefusalReason.StaleRoute);
        Assert.Equal(0, _silo.Engine.Opened);
    }

    [Fact]
    public async Task A_staged_prompt_is_the_prompt()
    {
        ISequenceGrain session = _silo.Session();
        await session.Stage(new PromptPart("r", 0, TokenPacking.Pack([1, 2, 3])));
        await session.Stage(new PromptPart("r", 3, TokenPacking.Pack([4, 5])));
        await using Stream stream = new(session, Stream.Request("r") with { PromptTokens = 5 });
        Task<AdmissionFacts> admission = stream.Admission();
        FakeGeneration generation = await _silo.Submitted();
        generation.Send(6);
        await admission;
        Assert.Equal([1, 2, 3, 4, 5], generation.Spec.Prompt.ToArray());
    }

    /// <summary>Reads a refusal that comes after a wait: the clock moves until it is there.</summary>
    private async Task<Refusal> RefusedInTime(Stream stream)
    {
        Task<Refusal> refused = stream.Refused();
        while (!refused.IsCompleted)
        {
            _silo.Time.Advance(TimeSpan.FromMilliseconds(10));
            await _silo.Session().Status();
        }
        return await refused;
    }

    private async Task Refuses(GenerateRequest request, RefusalReason reason)
    {
        await using Stream stream = new(_silo.Session(), request);
        Assert.Equal(reason, (await stream.Refused()).Reason);
    }
}
