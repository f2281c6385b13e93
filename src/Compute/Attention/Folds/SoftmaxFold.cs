using Concertina.Compute.Attention.Lanes;
using Concertina.Compute.Kernels;
using Concertina.Compute.KvCache;

namespace Concertina.Compute.Attention.Folds;

/// <summary>
/// The only exponentials of attention: folds a page's scores into a row's running maximum and sum, and merges two partials.
/// Sums have 16 lanes, slot i in lane i mod 16, added up by halves: the same order for every vector width.
/// </summary>
internal static unsafe class SoftmaxFold<TL, TV>
    where TL : struct, ILanes<TV>
    where TV : struct
{
    private const int SumLanes = 16;

    /// <summary>Turns scores into weights for every row, advances maximum and sum, and sets the factor for the values.</summary>
    public static void Page(in RowBlock block)
    {
        for (int row = 0; row < block.PaddedRows; row++)
        {
            int visible = block.Visible[row];
            if (visible == 0)
            {
                block.Factors[row] = 1f;
                continue;
            }
            float* scores = block.Scores + (row * KvShape.PageTokens);
            float before = block.Maximum[row];
            float maximum = Largest(scores, visible, before);
            // An all-empty row keeps -inf; subtracting 0 instead gives weights of 0, and leaves a NaN a NaN.
            float reference = float.IsNegativeInfinity(maximum) ? 0f : maximum;
            // e^0 is exactly 1, so an unchanged maximum may skip it.
            float factor = before == maximum ? 1f : VectorExp.Exp(before - reference);
            block.Sum[row] = MathF.FusedMultiplyAdd(block.Sum[row], factor, Weights(scores, visible, reference));
            block.Maximum[row] = maximum;
            block.Factors[row] = factor;
        }
    }

    private static float Largest(float* scores, int visible, float before)
    {
        TV largest = TL.Set(before);
        for (int slot = 0; slot < visible; slot += TL.Width)
        {
            TV masked = TL.KeepBelow(TL.Load(scores + slot), slot, visible, float.NegativeInfinity);
            largest = TL.Max(largest, masked);
        }
        return TL.Largest(largest);
    }

    private static float Weights(float* scores, int visible, float reference)
    {
        TV shift = TL.Set(reference);
        float* lanes = stackalloc float[SumLanes];
        for (int lane = 0; lane < SumLanes; lane += TL.Width)
        {
            TV sum = TL.Set(0f);
            for (int slot = lane; slot < visible; slot += SumLanes)
            {
                TV weight = TL.KeepBelow(TL.Exp(TL.Subtract(TL.Load(scores + slot), shift)), slot, visible, 0f);
                TL.Store(scores + slot, weight);
                sum = TL.Add(sum, weight);
            }
            TL.Store(lanes + lane, sum);
        }
        return TL.SumByHalves(lanes);
    }
}
