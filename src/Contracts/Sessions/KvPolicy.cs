using Orleans;

namespace Concertina.Contracts.Sessions;

/// <summary>What may happen to a session's KV cache (architecture, words).</summary>
[GenerateSerializer]
[Alias("concertina.kv-policy")]
public enum KvPolicy
{
    /// <summary>16-bit while memory allows, down to the floor under pressure, undone after.</summary>
    [Id(0)] Elastic,

    /// <summary>16-bit only; bit-identical to a run without compression.</summary>
    [Id(1)] Lossless,

    /// <summary>Starts at the floor, no undo, charged by real bytes.</summary>
    [Id(2)] Economy,
}
