namespace Concertina.Runtime.Enumerations;

/// <summary>
/// The consumer's side of one enumeration: pulls batches. A cancelled token or a disposed enumerator reaches the
/// iterator at once, also between pulls.
/// </summary>
internal sealed class GrainStreamEnumerator<T>(GrainStream<T> stream, CancellationToken token) : IAsyncEnumerator<T>
{
    private readonly Guid _id = Guid.NewGuid();
    private CancellationTokenSource? _cancelled;
    private T[] _batch = [];
    private int _next;
    private bool _ended;
    private int _stopped;

    public T Current { get; private set; } = default!;

    public async ValueTask<bool> MoveNextAsync()
    {
        if (!_ended && _cancelled is { IsCancellationRequested: true })
        {
            _ended = true;
            throw new OperationCanceledException(GivenToken());
        }

        while (_next >= _batch.Length && !_ended)
        {
            EnumerationBatch<T> batch = await PullAsync();
            _ended = batch.Kind == BatchKind.Completed;
            _batch = batch.Elements;
            _next = 0;
        }

        if (_next >= _batch.Length)
        {
            return false;
        }

        Current = _batch[_next++];
        return true;
    }

    public ValueTask DisposeAsync()
    {
        if (!_ended)
        {
            _ended = true;
            Stop();
        }

        _cancelled?.Dispose();
        return default;
    }

    private async Task<EnumerationBatch<T>> PullAsync()
    {
        bool first = _cancelled is null;
        if (first)
        {
            _cancelled = CancellationTokenSource.CreateLinkedTokenSource(token, stream.Token);
            _cancelled.Token.UnsafeRegister(static state => ((GrainStreamEnumerator<T>)state!).Stop(), this);
        }

        EnumerationPull<T> pull = new(stream, _id, first);
        stream.Proxy.Silo.Send(pull, _cancelled!.Token);
        try
        {
            return await pull.Answer;
        }
        catch (OperationCanceledException) when (_cancelled.IsCancellationRequested)
        {
            _ended = true;
            throw new OperationCanceledException(GivenToken());
        }
        catch
        {
            _ended = true;
            Stop();
            throw;
        }
    }

    private CancellationToken GivenToken() => token.IsCancellationRequested ? token : stream.Token;

    // May run on the thread that cancels, beside the consumer: touches nothing of the batch.
    private void Stop()
    {
        if (_cancelled is not null && Interlocked.Exchange(ref _stopped, 1) == 0)
        {
            stream.Proxy.Silo.StopEnumeration(stream.Proxy.Target, _id);
        }
    }
}
