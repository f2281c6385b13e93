using System.Diagnostics.CodeAnalysis;
using Concertina.Runtime.Activations;
using Concertina.Runtime.Hosting;
using Orleans.Runtime;

namespace Concertina.Runtime.Enumerations;

/// <summary>One running iterator with its elements.</summary>
[SuppressMessage("Design", "CA1001", Justification = "StopAsync is the one way out and disposes the source.")]
internal sealed class Enumeration<T> : Enumeration
{
    private readonly Activation _activation;
    private readonly GrainStream<T> _stream;
    private readonly CancellationTokenSource _cancelled = new();
    private readonly TaskCompletionSource<bool> _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly IAsyncEnumerator<T> _source;
    private Task<bool>? _pending;
    private bool _ended;

    internal Enumeration(Activation activation, GrainStream<T> stream)
    {
        _activation = activation;
        _stream = stream;
        _source = stream.Method.Run(activation.GrainInstance!, stream.Arguments, _cancelled.Token)
            .GetAsyncEnumerator(_cancelled.Token);
    }

    /// <summary>
    /// What the iterator has without waiting, up to the batch size; if it has nothing, waits for one element, the end,
    /// or the heartbeat.
    /// </summary>
    internal async ValueTask<EnumerationBatch<T>> PullAsync(int batchSize, TimeSpan heartbeat)
    {
        if (Pulled)
        {
            throw new InvalidOperationException("An enumeration is pulled by one consumer at a time.");
        }

        Pulled = true;
        try
        {
            EnumerationBatch<T> batch = await TakeAsync(batchSize, heartbeat);
            if (batch.Kind == BatchKind.Completed)
            {
                await _activation.Enumerations.EndAsync(this);
            }

            return batch;
        }
        catch
        {
            await _activation.Enumerations.EndAsync(this);
            throw;
        }
        finally
        {
            Pulled = false;
            LastPull = _activation.Silo.Time.GetTimestamp();
        }
    }

    internal override async Task StopAsync(EnumerationAbortedException? reason)
    {
        if (_ended)
        {
            return;
        }

        _ended = true;
        _stopped.TrySetException(reason ?? new EnumerationAbortedException("The enumeration was stopped by its consumer."));
        _ = _stopped.Task.Exception;
        try
        {
            _cancelled.Cancel();
            if (_pending is { } pending)
            {
                await pending;
            }
        }
        catch (Exception exception)
        {
            // The consumer is gone or has been told; what the iterator threw on its way out is for the log.
            if (exception is not OperationCanceledException)
            {
                RuntimeLog.IteratorFailedAfterStop(_activation.Silo.Log, exception, _activation.GrainId);
            }
        }

        await _source.DisposeAsync();
        _cancelled.Dispose();
    }

    private async ValueTask<EnumerationBatch<T>> TakeAsync(int batchSize, TimeSpan heartbeat)
    {
        List<T> elements = [];
        while (elements.Count < batchSize)
        {
            _pending ??= _source.MoveNextAsync().AsTask();
            if (!_pending.IsCompletedSuccessfully)
            {
                // An exception waits for the next pull, so that the elements before it arrive.
                if (elements.Count > 0)
                {
                    break;
                }

                if (!_pending.IsCompleted && !await ArrivesAsync(_pending, heartbeat))
                {
                    return new EnumerationBatch<T>(BatchKind.Heartbeat, []);
                }
            }

            bool more = await _pending;
            _pending = null;
            if (!more)
            {
                return new EnumerationBatch<T>(BatchKind.Completed, [.. elements]);
            }

            elements.Add(_stream.Method.CopyElement(_source.Current));
        }

        return new EnumerationBatch<T>(BatchKind.Elements, [.. elements]);
    }

    /// <summary>False when the heartbeat came first. Throws when the enumeration was stopped meanwhile.</summary>
    private async Task<bool> ArrivesAsync(Task<bool> pending, TimeSpan heartbeat)
    {
        using CancellationTokenSource arrived = new();
        Task beat = Task.Delay(heartbeat, _activation.Silo.Time, arrived.Token);
        Task first = await Task.WhenAny(pending, _stopped.Task, beat);
        arrived.Cancel();
        if (first == beat)
        {
            return false;
        }

        // A stopped iterator may end first, by the token that the stop cancelled; the reason is the stop all the same.
        if (_stopped.Task.IsCompleted)
        {
            await _stopped.Task;
        }

        return true;
    }
}
