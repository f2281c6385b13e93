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
    private bool _started;
    private bool _ended;

    public T Current { get; private set; } = default!;

    public async ValueTask<bool> MoveNextAsync()
    {
        if (_next < _batch.Length)
        {
            Current = _batch[_next++];
            return true;
        }

        while (!_ended)
        {
            EnumerationBatch<T> batch = await PullAsync();
            _ended = batch.Kind == BatchKind.Completed;
            if (batch.Elements.Length > 0)
            {
                _batch = batch.Elements;
                _next = 1;
                Current = _batch[0];
                return true;
            }
        }

        return false;
    }

    public ValueTask DisposeAsync()
    {
        Stop();
        _cancelled?.Dispose();
        return default;
    }

    private async Task<EnumerationBatch<T>> PullAsync()
    {
        bool first = !_started;
        if (first)
        {
            Begin();
        }

        EnumerationPull<T> pull = new(stream, _id, first);
        stream.Proxy.Silo.Send(pull, _cancelled!.Token);
        try
        {
            return await pull.Answer;
        }
        catch (OperationCanceledException exception) when (exception.CancellationToken == _cancelled.Token)
        {
            _ended = true;
            throw new OperationCanceledException(
                exception.Message, token.IsCancellationRequested ? token : stream.Token);
        }
        catch
        {
            Stop();
            throw;
        }
    }

    private void Begin()
    {
        _started = true;
        _cancelled = CancellationTokenSource.CreateLinkedTokenSource(token, stream.Token);
        if (_cancelled.Token.CanBeCanceled)
        {
            _cancelled.Token.UnsafeRegister(static state => ((GrainStreamEnumerator<T>)state!).Stop(), this);
        }
    }

    private void Stop()
    {
        if (_started && !_ended)
        {
            _ended = true;
            _batch = [];
            _next = 0;
            stream.Proxy.Silo.StopEnumeration(stream.Proxy.Target, _id);
        }
    }
}
