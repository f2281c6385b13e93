using Concertina.Contracts.Sessions;
using Concertina.Grains.Tests.Fakes;

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
