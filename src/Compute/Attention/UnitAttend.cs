using System.Runtime.Intrinsics;
using Concertina.Compute.Attention.Folds;
using Concertina.Compute.Attention.Lanes;
using Concertina.Compute.KvCache;

namespace Concertina.Compute.Attention;

/// <summary>Makes the attention of a pair of codecs for a vector path.</summary>
internal static class UnitAttend
{
    public static IUnitAttend Make<TKeys, TValues>(VectorPath path)
        where TKeys : struct, IKeyReader
        where TValues : struct, IValueReader => path switch
        {
            VectorPath.Lanes16 => new UnitAttend<TKeys, TValues, Lanes16, Vector512<float>>(),
            VectorPath.Lanes8 => new UnitAttend<TKeys, TValues, Lanes8, Vector256<float>>(),
            _ => new UnitAttend<TKeys, TValues, ScalarLanes, float>(),
        };
}

/// <summary>
/// Page by page: scores, softmax fold, values. The row law holds because each row's operations on a page depend on the page
/// and the row alone, and pages come in order.
/// </summary>
internal sealed unsafe class UnitAttend<TKeys, TValues, TL, TV> : IUnitAttend
    where TKeys : struct, IKeyReader
    where TValues : struct, IValueReader
    where TL : struct, ILanes<TV>
    where TV : struct
{
    public void Attend(UnitView* run, int count, ref RowBlock block)
    {
        for (int i = 0; i < count; i++)
        {
            int slots = SetVisible(run[i].Start, block);
            if (slots == 0)
            {
                continue;
            }
            Score(run[i], block, slots);
            SoftmaxFold<TL, TV>.Page(block);
            Accumulate(run[i], block);
        }
    }

    /// <summary>Slots each row may see: positions at or before its own.</summary>
    /// <returns>The most slots any row sees; rows ascend in position, so the last row's.</returns>
    private static int SetVisible(int start, in RowBlock block)
    {
        for (int row = 0; row < block.PaddedRows; row++)
        {
            block.Visible[row] = Math.Clamp(block.Positions[row] - start + 1, 0, KvShape.PageTokens);
        }
        return block.Visible[block.PaddedRows - 1];
    }

    private static void Score(in UnitView unit, in RowBlock block, int slots)
    {
        if (block.PaddedRows <= TKeys.FusedRows)
        {
            TKeys.Score<TL, TV>(unit, block, slots);
        }
        else
        {
            TileKernels<TL, TV>.Score(TKeys.Tile<TL, TV>(unit, block.HeadDim, block.Tile), block, slots);
        }
    }

    private static void Accumulate(in UnitView unit, in RowBlock block)
    {
        if (block.PaddedRows <= TValues.FusedRows)
        {
            TValues.Accumulate<TL, TV>(unit, block);
        }
        else
        {
            TileKernels<TL, TV>.Accumulate(TValues.Tile<TL, TV>(unit, block.HeadDim, block.Tile), block);
        }
    }
}
