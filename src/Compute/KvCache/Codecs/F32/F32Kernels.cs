using Concertina.Compute.Attention;
using Concertina.Compute.Attention.Folds;
using Concertina.Compute.Attention.Lanes;

namespace Concertina.Compute.KvCache.Codecs.F32;

/// <summary>Keys that are already a tile.</summary>
internal readonly unsafe struct F32Keys : IKeyReader
{
    public static int FusedRows => 0;

    public static float* Tile<TL, TV>(in UnitView unit, int headDim, float* scratch)
        where TL : struct, ILanes<TV>
        where TV : struct => (float*)unit.Keys;

    public static void Score<TL, TV>(in UnitView unit, in RowBlock block, int slots)
        where TL : struct, ILanes<TV>
        where TV : struct => TileKernels<TL, TV>.Score((float*)unit.Keys, block, slots);
}

/// <summary>Values that are already a tile.</summary>
internal readonly unsafe struct F32Values : IValueReader
{
    public static int FusedRows => 0;

    public static float* Tile<TL, TV>(in UnitView unit, int headDim, float* scratch)
        where TL : struct, ILanes<TV>
        where TV : struct => (float*)unit.Values;

    public static void Accumulate<TL, TV>(in UnitView unit, in RowBlock block)
        where TL : struct, ILanes<TV>
        where TV : struct => TileKernels<TL, TV>.Accumulate((float*)unit.Values, block);
}
