using Concertina.Compute.Attention.Lanes;

namespace Concertina.Compute.Attention;

/// <summary>The hot half of a value codec.</summary>
internal unsafe interface IValueReader
{
    /// <summary>Up to this many rows <see cref="Accumulate"/> beats widening the page into a tile.</summary>
    static abstract int FusedRows { get; }

    /// <summary>The page's values as floats, [64, headDim]; in the scratch, or where they are.</summary>
    static abstract float* Tile<TL, TV>(in UnitView unit, int headDim, float* scratch)
        where TL : struct, ILanes<TV>
        where TV : struct;

    /// <summary>
    /// values[row] = values[row] * factor[row], then a sequential fused sum over the slots the row sees. May change the
    /// weights.
    /// </summary>
    static abstract void Accumulate<TL, TV>(in UnitView unit, in RowBlock block)
        where TL : struct, ILanes<TV>
        where TV : struct;
}
