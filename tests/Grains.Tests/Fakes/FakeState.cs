using Orleans.Runtime;
using Orleans.Storage;

namespace Concertina.Grains.Tests.Fakes;

/// <summary>A store of one value that several activations may open; a writer that has not seen the last write is refused.</summary>
internal sealed class FakeStateStore<T>
    where T : new()
{
    public T? Value { get; set; }

    public int Version { get; set; }

    public int Writes { get; set; }

    public bool Fails { get; set; }

    public FakeState<T> Open() => new(this);
}

/// <summary>One activation's view of the value.</summary>
internal sealed class FakeState<T>(FakeStateStore<T> store) : IPersistentState<T>
    where T : new()
{
    private int _version = store.Version;

    public T State { get; set; } = store.Value ?? new T();

    public string? Etag => $"{_version}";

    public bool RecordExists { get; private set; } = store.Value is not null;

    public Task WriteStateAsync()
    {
        Check();
        store.Value = State;
        store.Writes++;
        RecordExists = true;
        _version = ++store.Version;
        return Task.CompletedTask;
    }

    public Task ClearStateAsync()
    {
        Check();
        store.Value = default;
        State = new T();
        RecordExists = false;
        _version = ++store.Version;
        return Task.CompletedTask;
    }

    public Task ReadStateAsync() => Task.CompletedTask;

    private void Check()
    {
        if (store.Fails)
        {
            throw new IOException("The disk is full.");
        }
        if (_version != store.Version)
        {
            throw new InconsistentStateException("Another activation has written.");
        }
    }
}
