using System.Globalization;
using Orleans.Storage;

namespace Concertina.Runtime.Storage;

/// <summary>Keeps states as long as the process lives. For tests and for state that may be lost.</summary>
public sealed class MemoryStateStore(TimeProvider? time = null) : IStateStore
{
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly Dictionary<StateKey, DateTimeOffset> _writtenAt = [];
    private readonly Lock _gate = new();
    private readonly Dictionary<StateKey, StateRecord> _records = [];
    private long _version;

    /// <inheritdoc/>
    public ValueTask<StateRecord?> ReadAsync(StateKey key, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        lock (_gate)
        {
            return new(_records.GetValueOrDefault(key));
        }
    }

    /// <inheritdoc/>
    public ValueTask<string> WriteAsync(StateKey key, ReadOnlyMemory<byte> value, string? etag, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        lock (_gate)
        {
            Check(key, etag);
            string next = (++_version).ToString(CultureInfo.InvariantCulture);
            _writtenAt[key] = _time.GetUtcNow();
            _records[key] = new StateRecord(value.ToArray(), next);
            return new(next);
        }
    }

    /// <inheritdoc/>
    public ValueTask ClearAsync(StateKey key, string? etag, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        lock (_gate)
        {
            Check(key, etag);
            _records.Remove(key);
            _writtenAt.Remove(key);
            return default;
        }
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<StateKey>> UnwrittenAsync(string state, DateTimeOffset since, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        lock (_gate)
        {
            return new([.. _writtenAt.Where(entry => entry.Key.State == state && entry.Value < since).Select(entry => entry.Key)]);
        }
    }

    private void Check(StateKey key, string? etag)
    {
        string? stored = _records.GetValueOrDefault(key)?.Etag;
        if (stored != etag)
        {
            throw new InconsistentStateException(
                $"State '{key.State}' of {key.Grain} has version {stored ?? "none"}, the writer expected {etag ?? "none"}: another writer was here. Deactivate the grain and reload.",
                stored,
                etag);
        }
    }
}
