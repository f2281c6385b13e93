using Concertina.Compute.Store;
using Concertina.Contracts.Sessions;
using Concertina.Grains.Tests.Fakes;
using Concertina.Runtime.Storage;
using Concertina.Silo;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Concertina.Grains.Tests.Sessions;

/// <summary>What goes wrong while a session begins, ends or goes away leaves it usable.</summary>
public sealed class SessionLifeTests : IAsyncLifetime
{
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(30);
    private TestSilo _silo = null!;

    public async ValueTask InitializeAsync() => _silo = await TestSilo.Start();

    public ValueTask DisposeAsync() => _silo.DisposeAsync();

    [Fact]
    public async Task A_session_whose_end_fails_is_free_for_the_next_request()
    {
        await Turn("one", [1, 2], [3]);
        _silo.Engine.TheHandle.CopyFault = new InvalidOperationException("The engine lost the sequence.");

        await Turn("two", [1, 2, 3, 4], [5]);

        await Turn("three", [1, 2, 3, 4, 5], [6]);
        Assert.Equal([1, 2, 3, 4, 5, 6], _silo.Engine.TheHandle.CopyTokens());
    }

    [Fact]
    public async Task A_delete_that_overtakes_a_beginning_request_leaves_nothing_of_before()
    {
        await Turn("one", [1, 2], [3]);
        // Another salt makes the request open the sequence anew, across awaits.
        TaskCompletionSource closing = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _silo.Engine.TheHandle.Closing = closing.Task;
        await using Stream stream = new(_silo.Session(), Stream.Request("two", 1, 2, 3, 4) with { CacheSalt = "salt" });
        Task<TokenChunk> first = stream.Next();
        while (!(await _silo.Session().Status()).Busy)
        {
        }

        Task deleting = _silo.Session().Delete();
        await _silo.Session().Status();
        closing.SetResult();
        await deleting.WaitAsync(Guard);

        Assert.Equal(RefusalReason.Unavailable, (await first).Refusal?.Reason);
        Assert.Empty(_silo.Engine.OpenHandles);
        SessionStatus status = await _silo.Session().Status();
        Assert.Equal((false, false, 0), (status.Exists, status.Busy, status.TokenCount));
        await Turn("three", [1, 2], [9]);
        Assert.Empty(_silo.Engine.TheHandle.Restored);
    }

    [Fact]
    public async Task A_sweep_removes_what_is_past_its_time_even_if_one_session_fails()
    {
        await Turn("one", [1, 2], [3]);
        await _silo.States.WriteAsync(new StateKey("sequence/no-tenant", "session"), "{}"u8.ToArray(), null, TestContext.Current.CancellationToken);
        await Sweep();
        Assert.True((await _silo.Session().Status()).Exists);

        _silo.Time.Advance(TimeSpan.FromHours(169));
        await Sweep();

        Assert.False((await _silo.Session().Status()).Exists);
        Assert.Equal(0, _silo.Store.UsedBytes);
    }

    [Fact]
    public async Task A_sweep_leaves_a_running_session_and_removes_a_state_whose_file_the_quota_took()
    {
        const double everyStateIsOldHours = -1;
        await Turn("one", [1, 2], [3]);
        _silo.Store.Delete("t/s");
        await using Stream stream = new(_silo.Session(), Stream.Request("two", 1, 2, 3, 4));
        Task<AdmissionFacts> admission = stream.Admission();
        FakeGeneration generation = await _silo.Engine.NextSubmission().WaitAsync(Guard);
        generation.Send(5);
        await admission;

        await Sweep(everyStateIsOldHours);
        Assert.Null(generation.End);
        generation.Complete();
        Assert.Equal(FinishReason.Stop, (await stream.Finish()).Reason);
        await Sweep(everyStateIsOldHours);
        Assert.True((await _silo.Session().Status()).Exists);

        _silo.Store.Delete("t/s");
        await Sweep(everyStateIsOldHours);
        Assert.False((await _silo.Session().Status()).Exists);
        Assert.Empty(await _silo.States.UnwrittenAsync("session", DateTimeOffset.MaxValue, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task An_ephemeral_sequence_that_nobody_runs_does_not_stay()
    {
        ISequenceGrain sequence = _silo.Session("t/~1");
        await sequence.Cancel("r", 0);
        await EventuallyEnds();
        await sequence.Stage(new PromptPart("r", 0, TokenPacking.Pack([1, 2, 3])));
        Assert.Equal(1, _silo.Activations);

        _silo.Time.Advance(2 * Concertina.Grains.Sessions.PromptStaging.KeptFor);
        await EventuallyEnds();
    }

    private async Task EventuallyEnds()
    {
        using CancellationTokenSource guard = new(Guard);
        while (_silo.Activations > 0)
        {
            guard.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private Task Sweep(double ttlHours = 168) => new SessionSweep(
        _silo.Store, _silo.States, Options.Create(new StoreOptions { TtlHours = ttlHours }), _silo.Grains, _silo.Time, NullLogger<SessionSweep>.Instance)
        .Sweep(TestContext.Current.CancellationToken);

    /// <summary>One whole turn of the session <c>t/s</c>.</summary>
    private async Task Turn(string requestId, int[] prompt, int[] answer)
    {
        await using Stream stream = new(_silo.Session(), Stream.Request(requestId, prompt));
        Task<AdmissionFacts> admission = stream.Admission();
        FakeGeneration generation = await _silo.Engine.NextSubmission().WaitAsync(Guard);
        generation.Send(answer);
        generation.Complete();
        await admission;
        Assert.Equal(FinishReason.Stop, (await stream.Finish()).Reason);
        Assert.Equal(answer, stream.Tokens);
    }
}
