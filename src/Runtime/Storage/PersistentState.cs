using Concertina.Runtime.Serialization;
using Orleans.Runtime;

namespace Concertina.Runtime.Storage;

/// <summary>A durable state of one activation.</summary>
internal sealed class PersistentState<T> : IPersistentState<T>, IReadableState
{
    private readonly IStateStore _store;
    private readonly StateKey _key;
    private readonly GrainSerializer _serializer;

    internal PersistentState(IStateStore store, StateKey key, GrainSerializer serializer)
    {
        _store = store;
        _key = key;
        _serializer = serializer;
        State = Empty();
    }

    public T State { get; set; }

    public string? Etag { get; private set; }

    public bool RecordExists { get; private set; }

    public Task ReadStateAsync() => ReadStateAsync(CancellationToken.None);

    public Task WriteStateAsync() => WriteStateAsync(CancellationToken.None);

    public Task ClearStateAsync() => ClearStateAsync(CancellationToken.None);

    Task IReadableState.ReadAsync(CancellationToken cancellation) => ReadStateAsync(cancellation);

    public async Task ReadStateAsync(CancellationToken cancellationToken)
    {
        StateRecord? record = await _store.ReadAsync(_key, cancellationToken);
        State = record is null ? Empty() : _serializer.Deserialize<T>(record.Value.Span)!;
        Etag = record?.Etag;
        RecordExists = record is not null;
    }

    public async Task WriteStateAsync(CancellationToken cancellationToken)
    {
        Etag = await _store.WriteAsync(_key, _serializer.Serialize(State), Etag, cancellationToken);
        RecordExists = true;
    }

    public async Task ClearStateAsync(CancellationToken cancellationToken)
    {
        await _store.ClearAsync(_key, Etag, cancellationToken);
        State = Empty();
        Etag = null;
        RecordExists = false;
    }

    private static T Empty() => typeof(T).IsValueType ? default! : Activator.CreateInstance<T>();
}
