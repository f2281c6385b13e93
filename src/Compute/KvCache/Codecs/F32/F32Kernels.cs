using Concertina.Compute.Attention;
using Concertina.Compute.Attention.Folds;
using Concertina.Compute.Attention.Lanes;

namespace Concertina.Compute.KvCache.Codecs.F32;

/// <summary>Keys that are already a tile.</summary>
internal readonly unsafe struct F32Keys : IKeyReader
{
    public static void Begin(ref RowBlock block)
    {
    }

    public static void Score<TL, TV>(in UnitView unit, in RowBlock block, int slots)
        where TL : struct, ILanes<TV>
        where TV : struct => TileKernels<TL, TV>.Score((float*)unit.Keys, block, slots);
}

/// <summary>Values that are already a tile.</summary>
internal readonly unsafe struct F32Values : IValueReader
{
    public static void Begin(ref RowBlock block)
    {
    }

    public static void Accumulate<TL, TV>(in UnitView unit, in RowBlock block)
        where TL : struct, ILanes<TV>
        where TV : struct => TileKernels<TL, TV>.Accumulate((float*)unit.Values, block);

    public static void End<TL, TV>(in UnitView last, ref RowBlock block)
        where TL : struct, ILanes<TV>
        where TV : struct
    {
    }
}
