using Concertina.Compute.Engine;
using Concertina.Contracts.Workers;

namespace Concertina.Grains.Workers;

/// <summary>
/// The worker of this silo, shared by its grains: the model once it is loaded, the epoch, whether new work is taken.
/// Thread-safe.
/// </summary>
public sealed class LocalWorker
{
    private ServedModel? _served;
    private long _epoch;
    private volatile bool _draining;

    /// <summary>Makes the worker of a silo and device; it serves nothing until <see cref="Serve"/>.</summary>
    /// <param name="key">Grain key, <c>silo/device</c>.</param>
    /// <param name="model">Name of the model it will serve.</param>
    public LocalWorker(string key, string model)
    {
        Key = key;
        Model = model;
    }

    /// <summary>Grain key, <c>silo/device</c>.</summary>
    public string Key { get; }

    /// <summary>Served model name, known before the model is.</summary>
    public string Model { get; }

    /// <summary>The model and its engine; null while it loads.</summary>
    public ServedModel? Served => Volatile.Read(ref _served);

    /// <summary>
    /// Rises with each start (upper half, durable), and with each reflex of the engine and each other local action that outdates
    /// plans (lower half); 0 before the worker grain has started.
    /// </summary>
    public long Epoch => Interlocked.Read(ref _epoch) is > 0 and long begun ? begun + (Served?.Engine.Snapshot.Reflexes ?? 0) : 0;

    /// <summary>True when no new work is taken.</summary>
    public bool Draining => _draining;

    /// <summary>Starts a new life with a durable count of lives.</summary>
    /// <returns>The epoch.</returns>
    public long Begin(long incarnation)
    {
        Interlocked.Exchange(ref _epoch, WorkerEpoch.First(incarnation));
        return Epoch;
    }

    /// <summary>Declares plans made so far outdated.</summary>
    public long RaiseEpoch() => Interlocked.Increment(ref _epoch);

    /// <summary>The model is loaded and warm.</summary>
    public void Serve(ServedModel served)
    {
        Volatile.Write(ref _served, served);
        if (_draining)
        {
            served.Engine.Drain();
        }
    }

    /// <summary>Takes no new work from now on.</summary>
    public void Drain()
    {
        _draining = true;
        Served?.Engine.Drain();
    }

    /// <summary>Load and memory now.</summary>
    public WorkerLoad Load()
    {
        ServedModel? served = Served;
        EngineSnapshot? engine = served?.Engine.Snapshot;
        return new WorkerLoad
        {
            Worker = Key,
            Model = Model,
            Epoch = Epoch,
            Accepting = engine is { StalledStage: null, Failure: null, Draining: false } && !_draining,
            BudgetBytes = engine?.Kv.BudgetBytes ?? 0,
            TranscodeReserveBytes = served?.TranscodeReserveBytes ?? 0,
            CommittedBytes = engine?.CommittedBytes ?? 0,
            UsedBytes = engine?.Kv.UsedBytes ?? 0,
            Running = engine?.Running ?? 0,
            Queued = engine?.Queued ?? 0,
            QueueLimit = served?.QueueLimit ?? 0,
            ContextLength = served?.Facts.ContextLength ?? 0,
            FloorBytesPerColumn = served?.FloorBytesPerColumn ?? 0,
            StalledStage = engine?.Failure is null ? engine?.StalledStage : "failed",
        };
    }
}
