namespace Concertina.Compute.KvCache.Eviction;

/// <summary>How far eviction of a table is: plain data of the table, written by <see cref="Evictor"/>.</summary>
internal struct EvictionState
{
    /// <summary>Columns that the last finished job covered; the next waits for more.</summary>
    public int Done;

    /// <summary>Columns that finished jobs covered, by how much they kept.</summary>
    public EvictionReach Reach;

    /// <summary>Times the table was given another rung or promise; a job begun before has seen other units.</summary>
    public int RungChanges;

    /// <summary>Slots evicted since the table was made.</summary>
    public long Slots;
}
