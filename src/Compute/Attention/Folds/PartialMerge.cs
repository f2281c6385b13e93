using System.Runtime.Intrinsics;
using Concertina.Compute.Kernels;

namespace Concertina.Compute.Attention.Folds;

/// <summary>Merges partials of one row: (maximum, sum, values). The empty partial is (-inf, 0, 0).</summary>
internal static unsafe class PartialMerge
{
    /// <summary>total = total + part. A part that saw nothing changes nothing, not even the sign of a zero.</summary>
    public static void Add(ref float totalMaximum, ref float totalSum, float* totalValues, in RowPartial part)
    {
        if (float.IsNegativeInfinity(part.Maximum) && part.Sum == 0f)
        {
            return;
        }
        float maximum = totalMaximum > part.Maximum ? totalMaximum : part.Maximum;
        float reference = float.IsNegativeInfinity(maximum) ? 0f : maximum;
        float keep = VectorExp.Exp(totalMaximum - reference);
        float add = VectorExp.Exp(part.Maximum - reference);
        totalSum = MathF.FusedMultiplyAdd(totalSum, keep, part.Sum * add);
        totalMaximum = maximum;
        Vector256<float> keeps = Vector256.Create(keep);
        Vector256<float> adds = Vector256.Create(add);
        // headDim is a multiple of 16.
        for (int i = 0; i < part.HeadDim; i += Vector256<float>.Count)
        {
            Vector256<float> sum = Vector256.FusedMultiplyAdd(
                Vector256.Load(totalValues + i), keeps, Vector256.Load(part.Values + i) * adds);
            sum.Store(totalValues + i);
        }
    }

    /// <summary>output = values / sum; a row that saw nothing gives 0.</summary>
    public static void Normalise(float sum, float* values, Span<float> output)
    {
        for (int i = 0; i < output.Length; i++)
        {
            output[i] = sum == 0f ? 0f : values[i] / sum;
        }
    }
}
