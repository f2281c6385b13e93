namespace Concertina.Compute.KvCache;

/// <summary>
/// Where the KV slots of one sequence are: per (layer, KV head) an ordered list of units. Written only by the engine
/// thread, at step boundaries; read by the attention workers during a step. Made and released by <see cref="PagedKvCache"/>.
/// </summary>
public sealed class PageTable
{
    internal PageTable(PagedKvCache owner) => Owner = owner;

    internal PagedKvCache Owner { get; }

    /// <summary>Tokens whose slots are reserved; the runner may write positions below it.</summary>
    public int ReservedTokens { get; internal set; }

    /// <summary>Tokens whose K and V are written; set by <see cref="PagedKvCache.Commit"/> after a step.</summary>
    public int TokenCount { get; internal set; }

    /// <summary>Tokens before the first inexact column; equals <see cref="TokenCount"/> while everything is exact.</summary>
    public int ExactTokens { get; internal set; }

    /// <summary>Physical bytes of the units it refers to, shared ones included, its own lists included.</summary>
    public long Bytes => throw new NotImplementedException();
}
