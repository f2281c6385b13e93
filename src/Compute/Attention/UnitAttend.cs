using System.Runtime.Intrinsics;
using Concertina.Compute.Attention.Folds;
using Concertina.Compute.Attention.Lanes;

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
        TKeys.Begin(ref block);
        TValues.Begin(ref block);
        for (int i = 0; i < count; i++)
        {
            int slots = SetVisible(run[i], block);
            if (slots == 0)
            {
                continue;
            }
            TKeys.Score<TL, TV>(run[i], block, slots);
            SoftmaxFold<TL, TV>.Page(block);
            TValues.Accumulate<TL, TV>(run[i], block);
        }
        TValues.End<TL, TV>(run[count - 1], ref block);
    }

    /// <summary>Slots each row may see: positions at or before its own.</summary>
    /// <returns>The most slots any row sees; rows ascend in position, so the last row's.</returns>
    private static int SetVisible(in UnitView unit, in RowBlock block)
    {
        for (int row = 0; row < block.PaddedRows; row++)
        {
            block.Visible[row] = unit.VisibleAt(block.Positions[row]);
        }
        return block.Visible[block.PaddedRows - 1];
    }
}
