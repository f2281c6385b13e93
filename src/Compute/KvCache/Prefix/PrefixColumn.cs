namespace Concertina.Compute.KvCache.Prefix;

/// <summary>What the index knows of one column beside its tokens and units.</summary>
internal struct PrefixColumn
{
    /// <summary>Size of the struct.</summary>
    public const int Bytes = 80;

    public ColumnHash Hash;
    public PrefixScope Scope;

    /// <summary>Identity of the whole token prefix; exact and inexact columns of the same tokens share it.</summary>
    public long Node;

    /// <summary>Node before this column; 0 at the root.</summary>
    public long ParentNode;

    /// <summary>Column kept because of this one, or -1.</summary>
    public int Parent;

    /// <summary>Columns whose parent this one is.</summary>
    public int Children;

    /// <summary>Next in the bucket, or next free.</summary>
    public int Next;

    /// <summary>Columns from the root to this one.</summary>
    public int Depth;

    public int IdleNext;
    public int IdlePrevious;

    /// <summary>True while it is in the list of columns without a page table.</summary>
    public bool Idle;

    /// <summary>True while <see cref="PrefixIndex"/> looks for what to drop: it holds a unit that nobody else does.</summary>
    public bool Wasted;

    public bool Exact;

    /// <summary>Deepest rung of the prefix it was computed over; 0 when exact.</summary>
    public byte Rung;

    public bool Used;
}
