namespace Concertina.Compute.KvCache.Memory;

/// <summary>Marks of one unit.</summary>
[Flags]
internal enum UnitFlags : byte
{
    None = 0,

    /// <summary>Part of an exact column: 16-bit, and so was every column before it when this one was computed.</summary>
    Exact = 1,

    /// <summary>All slots written and committed.</summary>
    Sealed = 2,

    /// <summary>Held by a prefix column, so immutable.</summary>
    InPrefix = 4,

    /// <summary>A slot may hold an infinity or a NaN, so kernels must not take the finite-only path.</summary>
    NonFinite = 8,

    /// <summary>Eviction left gaps: positions are offsets behind the parts, and the filled slots alone count.</summary>
    Gapped = 16,

    /// <summary>Its codec stays: another one refused its content.</summary>
    Stays = 32,

    /// <summary>A coarser codec lost too much of it: it keeps its form while the commitment of who holds it covers that.</summary>
    Guarded = 64,
}
