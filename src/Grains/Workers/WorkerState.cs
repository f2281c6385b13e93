using Orleans;

namespace Concertina.Grains.Workers;

/// <summary>Durable state of one worker.</summary>
[GenerateSerializer]
[Alias("concertina.worker-state")]
public sealed record WorkerState
{
    /// <summary>How often the worker has started; the upper half of its epoch.</summary>
    [Id(0)] public long Incarnation { get; init; }
}
