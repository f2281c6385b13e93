using Concertina.Compute.Attention;
using Concertina.Compute.Attention.Folds;
using Concertina.Compute.Attention.Lanes;
using Concertina.Compute.KvCache.Codecs.CommVq.Rows;

namespace Concertina.Compute.KvCache.Codecs.CommVq;

/// <summary>Keys as sums of codewords, decoded and turned once per page for all rows.</summary>
internal readonly unsafe struct CommVqKeys : IKeyReader
{
    public static void Begin(ref RowBlock block)
    {
    }

    public static void Score<TL, TV>(in UnitView unit, in RowBlock block, int slots)
        where TL : struct, ILanes<TV>
        where TV : struct
    {
        KeyRows<TL, TV>.Tile((KeyHead*)unit.KeyData, unit, block, slots);
        TileKernels<TL, TV>.Score(block.Tile, block, slots);
    }
}

/// <summary>Values decoded once per page for all rows.</summary>
internal readonly unsafe struct CommVqTileValues : IValueReader
{
    public static void Begin(ref RowBlock block)
    {
    }

    public static void Accumulate<TL, TV>(in UnitView unit, in RowBlock block)
        where TL : struct, ILanes<TV>
        where TV : struct
    {
        // Rows ascend in position, so the last one sees the most slots.
        ValueRows<TL, TV>.Decode((ValueHead*)unit.ValueData, unit.Values, block.Visible[block.PaddedRows - 1], block.Tile);
        TileKernels<TL, TV>.Accumulate(block.Tile, block);
    }

    public static void End<TL, TV>(in UnitView last, ref RowBlock block)
        where TL : struct, ILanes<TV>
        where TV : struct
    {
    }
}

/// <summary>Values never decoded: weights are summed by code, and the codewords weighted once per run.</summary>
internal readonly unsafe struct CommVqHistogramValues : IValueReader
{
    public static void Begin(ref RowBlock block) => *(int*)block.ValueScratch = 0;

    public static void Accumulate<TL, TV>(in UnitView unit, in RowBlock block)
        where TL : struct, ILanes<TV>
        where TV : struct => ValueHistogram<TL, TV>.Accumulate((ValueHead*)unit.ValueData, unit, block);

    public static void End<TL, TV>(in UnitView last, ref RowBlock block)
        where TL : struct, ILanes<TV>
        where TV : struct => ValueHistogram<TL, TV>.End((ValueHead*)last.ValueData, block);
}
