using Concertina.Compute.Attention.Lanes;

namespace Concertina.Compute.Attention;

/// <summary>The hot half of a key codec, compiled into <see cref="UnitAttend{TKeys, TValues, TL, TV}"/>.</summary>
internal unsafe interface IKeyReader
{
    /// <summary>Up to this many rows <see cref="Score"/> beats widening the page into a tile.</summary>
    static abstract int FusedRows { get; }

    /// <summary>The page's keys as floats, [headDim, 64]; in the scratch, or where they are.</summary>
    static abstract float* Tile<TL, TV>(in UnitView unit, int headDim, float* scratch)
        where TL : struct, ILanes<TV>
        where TV : struct;

    /// <summary>scores[row, slot] = sequential fused sum over channels of query * key, for the first slots.</summary>
    static abstract void Score<TL, TV>(in UnitView unit, in RowBlock block, int slots)
        where TL : struct, ILanes<TV>
        where TV : struct;
}
