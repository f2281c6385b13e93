using Orleans;

namespace Concertina.Contracts.Sessions;

/// <summary>Why a generation ended.</summary>
[GenerateSerializer]
[Alias("concertina.finish-reason")]
public enum FinishReason
{
    /// <summary>A stop token came.</summary>
    [Id(0)] Stop,

    /// <summary>The token limit or the end of the context was reached.</summary>
    [Id(1)] Length,

    /// <summary>The caller cancelled.</summary>
    [Id(2)] Cancelled,

    /// <summary>It failed; the finish facts say where and why.</summary>
    [Id(3)] Error,
}
