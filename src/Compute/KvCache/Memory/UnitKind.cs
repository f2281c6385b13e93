namespace Concertina.Compute.KvCache.Memory;

/// <summary>What a unit covers. Numbers are written into units and never reused.</summary>
internal enum UnitKind : byte
{
    /// <summary>Not allocated.</summary>
    Free = 0,

    /// <summary>64 slots of one layer and one KV head.</summary>
    HeadPage = 1,

    /// <summary>64 slots of one layer, all KV heads in one body.</summary>
    LayerPage = 2,

    /// <summary>64 slots of all layers and KV heads in one body.</summary>
    Column = 3,

    /// <summary>Several neighbouring pages of one layer and KV head in one body.</summary>
    Segment = 4,

    /// <summary>No slots: a block of page lists.</summary>
    PageList = 5,

    /// <summary>No slots: the last queries of one layer, which eviction observes.</summary>
    QueryRing = 6,
}
