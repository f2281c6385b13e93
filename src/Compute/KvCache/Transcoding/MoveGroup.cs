namespace Concertina.Compute.KvCache.Transcoding;

/// <summary>Neighbouring places of a table whose units are stored anew together: so many heads from one, so many columns from one.</summary>
/// <param name="Head">First head, layer * KvHeadCount + KV head.</param>
/// <param name="HeadCount">Heads.</param>
/// <param name="Column">First column; none of them was evicted from.</param>
/// <param name="ColumnCount">Columns.</param>
internal readonly record struct MoveGroup(int Head, int HeadCount, int Column, int ColumnCount)
{
    public int PlaceCount => HeadCount * ColumnCount;
}
