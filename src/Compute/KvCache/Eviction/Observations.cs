using Concertina.Compute.KvCache.Eviction.Scoring;
using Concertina.Compute.KvCache.Memory;

namespace Concertina.Compute.KvCache.Eviction;

/// <summary>
/// The observation rings of tables: one unit per layer, made when a table comes to a rung that evicts and counted like its
/// pages. Engine thread, but for <see cref="Add"/>, which the runner's threads call for different layers or tables.
/// </summary>
internal sealed unsafe class Observations(CacheInterior inside, KvShape shape, int rowCount)
{
    private const int ArrayBytes = 24;

    /// <summary>Size class of a ring; -1 where no rung evicts.</summary>
    public int SizeClass { get; init; } = -1;

    /// <summary>Bytes of one ring.</summary>
    public int UnitBytes => UnitBytesFor(shape, rowCount);

    /// <summary>Most bytes of one table's rings.</summary>
    public long CommitmentBytes => SizeClass < 0 ? 0 : HeapBytes + ((long)shape.LayerCount * inside.Columns.ShareBytes(SizeClass));

    private long HeapBytes => ArrayBytes + ((long)shape.LayerCount * sizeof(ulong));

    private int Width => shape.KvHeadCount * shape.GroupSize * shape.HeadDim;

    public static int UnitBytesFor(KvShape shape, int rowCount) =>
        ObservationRing.BytesFor(rowCount, shape.KvHeadCount * shape.GroupSize * shape.HeadDim);

    /// <summary>Gives a table its rings, if it has none.</summary>
    /// <returns>False when the bytes cannot be had.</returns>
    public bool TryAttach(PageTable table)
    {
        if (table.Rings.Length > 0)
        {
            return true;
        }
        if (!inside.Budget.CanAddLists(HeapBytes, inside.Arena.ExtentsInUse, fromReserve: true))
        {
            return false;
        }
        inside.Budget.AddLists(HeapBytes); // first, so that the rings' extents leave room for it
        UnitHandle[] rings = new UnitHandle[shape.LayerCount];
        for (int layer = 0; layer < rings.Length; layer++)
        {
            if (!inside.Columns.TryAllocateFromReserve(SizeClass, out rings[layer]))
            {
                inside.Columns.ReleaseAll(rings.AsSpan(0, layer));
                inside.Budget.AddLists(-HeapBytes);
                return false;
            }
            inside.Units.Own(rings[layer], table.Account);
            inside.Units.Entry(rings[layer]).Kind = UnitKind.QueryRing;
            Ring(rings[layer]).Clear();
        }
        table.SetRings(rings, HeapBytes, (long)rings.Length * inside.Units.StrideBytes(rings[0]));
        return true;
    }

    /// <summary>Gives a table the rings of another one that holds the same tokens.</summary>
    /// <returns>False when the bytes cannot be had.</returns>
    public bool TryCopy(PageTable from, PageTable to)
    {
        if (from.Rings.Length > 0 && !TryAttach(to))
        {
            return false;
        }
        for (int layer = 0; layer < from.Rings.Length; layer++)
        {
            // Both units have the size of the rings' class.
            Buffer.MemoryCopy(inside.Units.Bytes(from.Rings[layer]), inside.Units.Bytes(to.Rings[layer]), UnitBytes, UnitBytes);
        }
        return true;
    }

    /// <summary>Copies the ring of a layer out: rows of tokens the table holds, nothing of what the memory held before.</summary>
    /// <param name="table">A table with rings.</param>
    /// <param name="layer">Layer.</param>
    /// <param name="copy">Receives <see cref="UnitBytes"/>.</param>
    public void CopyOut(PageTable table, int layer, Span<byte> copy)
    {
        new ReadOnlySpan<byte>(inside.Units.Bytes(table.Rings[layer]), UnitBytes).CopyTo(copy);
        new ObservationRing(copy, rowCount, Width).Keep(table.TokenCount);
    }

    /// <summary>Copies the ring of a layer back into a table that has rings.</summary>
    public void CopyIn(PageTable table, int layer, ReadOnlySpan<byte> copy) =>
        copy[..UnitBytes].CopyTo(new Span<byte>(inside.Units.Bytes(table.Rings[layer]), UnitBytes));

    /// <summary>Takes a table's rings back.</summary>
    public void Detach(PageTable table)
    {
        if (table.Rings.Length > 0)
        {
            long bytes = (long)table.Rings.Length * inside.Units.StrideBytes(table.Rings[0]);
            inside.Columns.ReleaseAll(table.Rings);
            table.SetRings([], 0, -bytes);
            inside.Budget.AddLists(-HeapBytes);
        }
    }

    /// <summary>Keeps the last queries of a layer, if the table has rings and the runner offers them.</summary>
    public void Add(PageTable table, int layer, in KvRows rows)
    {
        if (table.Rings.Length > 0 && !rows.Queries.IsEmpty)
        {
            Ring(table, layer).Add(rows.FirstPosition, rows.Queries[..(rows.RowCount * Width)]);
        }
    }

    /// <summary>True when the ring of a layer holds the last queries before the table's end.</summary>
    public bool IsFull(PageTable table, int layer) => table.Rings.Length > 0 && Ring(table, layer).IsFull(table.TokenCount);

    /// <summary>The ring of a layer; valid until the next allocation, which may move inside.Units.</summary>
    public ObservationRing Ring(PageTable table, int layer) => Ring(table.Rings[layer]);

    // A ring's unit has the size of its class, which was made for it.
    private ObservationRing Ring(UnitHandle unit) => new(new Span<byte>(inside.Units.Bytes(unit), UnitBytes), rowCount, Width);
}
