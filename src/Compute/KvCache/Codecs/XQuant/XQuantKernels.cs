using Concertina.Compute.Attention;
using Concertina.Compute.Attention.Folds;
using Concertina.Compute.Attention.Lanes;

namespace Concertina.Compute.KvCache.Codecs.XQuant;

/// <summary>
/// Keys rematerialised once per page and head for all rows: latents [Stride, 64] in the scratch, K^T = M_h^T x in the tile, RoPE
/// at the page's positions. RoPE stands between M and the query, so M cannot be moved to the query.
/// </summary>
internal readonly unsafe struct XQuantKeys<TBits> : IKeyReader
    where TBits : struct, ILatentBits
{
    public static void Begin(ref RowBlock block)
    {
    }

    public static void Score<TL, TV>(in UnitView unit, in RowBlock block, int slots)
        where TL : struct, ILanes<TV>
        where TV : struct
    {
        var head = (LatentHead*)unit.KeyData;
        LatentTiles<TL, TV, TBits>.Keys(head, (uint*)unit.Keys, (float*)block.KeyScratch);
        KeyTiles.Product(head, (float*)block.KeyScratch, block.Tile).Set<TL, TV>(block.HeadDim);
        KeyTurn<TL, TV>.Run(head, new SlotPositions(unit.Start, unit.Offsets), block.Tile);
        TileKernels<TL, TV>.Score(block.Tile, block, slots);
    }
}

/// <summary>
/// Values never rematerialised: y = sum of weight * x over all slots of a run, then y M_h once, which is the sum of weight * v.
/// </summary>
internal readonly unsafe struct XQuantValues<TBits> : IValueReader
    where TBits : struct, ILatentBits
{
    public static void Begin(ref RowBlock block) => LatentSums.Begin(block);

    public static void Accumulate<TL, TV>(in UnitView unit, in RowBlock block)
        where TL : struct, ILanes<TV>
        where TV : struct
    {
        var head = (LatentHead*)unit.ValueData;
        RowBlock sums = LatentSums.Rows(head, block);
        // Rows ascend in position, so the last one sees the most slots.
        float* tile = LatentSums.Tile(head, block);
        LatentTiles<TL, TV, TBits>.Values(head, (uint*)unit.Values, block.Visible[block.PaddedRows - 1], tile);
        TileKernels<TL, TV>.Accumulate(tile, sums);
        LatentSums.ScaleValues<TL, TV>(block);
    }

    public static void End<TL, TV>(in UnitView last, ref RowBlock block)
        where TL : struct, ILanes<TV>
        where TV : struct => LatentSums.End<TL, TV>((LatentHead*)last.ValueData, block);
}
