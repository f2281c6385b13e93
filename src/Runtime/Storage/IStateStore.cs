namespace Concertina.Runtime.Storage;

/// <summary>Keeps durable states as bytes. A write succeeds only on the version it expects.</summary>
public interface IStateStore
{
    /// <summary>The stored value, or null.</summary>
    ValueTask<StateRecord?> ReadAsync(StateKey key, CancellationToken cancellation);

    /// <summary>Stores a value.</summary>
    /// <param name="key">Which state.</param>
    /// <param name="value">The serialized value.</param>
    /// <param name="etag">The version the writer read; null: it found nothing.</param>
    /// <param name="cancellation">Honoured before the write begins.</param>
    /// <returns>The new version.</returns>
    /// <exception cref="Orleans.Storage.InconsistentStateException">The stored version is another one.</exception>
    ValueTask<string> WriteAsync(StateKey key, ReadOnlyMemory<byte> value, string? etag, CancellationToken cancellation);

    /// <summary>Removes the stored value.</summary>
    /// <exception cref="Orleans.Storage.InconsistentStateException">The stored version is another one.</exception>
    ValueTask ClearAsync(StateKey key, string? etag, CancellationToken cancellation);

    /// <summary>States of one name that nobody has written since a time, for a sweep. Damaged ones are left out.</summary>
    /// <param name="state">Name of the state within its grain.</param>
    /// <param name="since">States written before.</param>
    /// <param name="cancellation">Ends the search.</param>
    ValueTask<IReadOnlyList<StateKey>> UnwrittenAsync(string state, DateTimeOffset since, CancellationToken cancellation);
}
