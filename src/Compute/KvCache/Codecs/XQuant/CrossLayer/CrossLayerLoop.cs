using System.Runtime.Intrinsics;
using Concertina.Compute.Attention.Lanes;

namespace Concertina.Compute.KvCache.Codecs.XQuant.CrossLayer;

/// <summary>
/// One step of the loop, for encoder and reader alike, A in binary32 [tokens, Hidden]:
/// <code>
/// MHA   source = X - A                A += x^
/// GQA   source = (X - A) Ukv          A += x^ Ukv^T
/// </code>
/// Up to the base A counts as 0 and is replaced. The difference is taken to the accumulator, never to the true X of the layer
/// below: so errors do not add up, and what a layer's subspace does not hold is made good by later layers.
/// </summary>
/// <param name="plan">The plan.</param>
/// <param name="bases">Its bases; null for MHA.</param>
internal readonly unsafe struct CrossLayerLoop(CrossLayerPlan plan, CrossLayerBases? bases)
{
    /// <summary>What a layer quantises, [tokens, width of the layer's rows].</summary>
    /// <param name="layer">Layer.</param>
    /// <param name="input">X of the layer, [tokens, Hidden].</param>
    /// <param name="accumulator">A of the layer below; not read up to the base layer.</param>
    /// <param name="source">Receives it.</param>
    public void Source(int layer, ReadOnlySpan<float> input, ReadOnlySpan<float> accumulator, Span<float> source)
    {
        bool isLatent = plan.Rows(layer).Width != plan.Hidden;
        float[]? rented = isLatent ? new float[input.Length] : null;
        Span<float> difference = rented ?? source;
        input.CopyTo(difference);
        for (int i = 0; layer > CrossLayerPlan.BaseLayer && i < input.Length; i++)
        {
            difference[i] -= accumulator[i];
        }
        if (isLatent)
        {
            Multiply(difference, bases!.Down(layer), source, adds: false);
        }
    }

    /// <summary>Moves A to a layer.</summary>
    /// <param name="layer">Layer.</param>
    /// <param name="decoded">What the layer's part decodes to.</param>
    /// <param name="accumulator">A of the layer below, then of the layer.</param>
    public void Advance(int layer, ReadOnlySpan<float> decoded, Span<float> accumulator)
    {
        bool replaces = layer <= CrossLayerPlan.BaseLayer;
        if (plan.Rows(layer).Width != plan.Hidden)
        {
            Multiply(decoded, bases!.Up(layer), accumulator, adds: !replaces);
            return;
        }
        for (int i = 0; i < accumulator.Length; i++)
        {
            accumulator[i] = replaces ? decoded[i] : accumulator[i] + decoded[i];
        }
    }

    private static void Multiply(ReadOnlySpan<float> rows, BasisMatrix matrix, Span<float> output, bool adds)
    {
        int count = rows.Length / matrix.Rows;
        // Products stay in the two spans: count rows of matrix.Rows and of matrix.Columns.
        ArgumentOutOfRangeException.ThrowIfLessThan(output.Length, count * matrix.Columns);
        fixed (float* factors = rows)
        fixed (float* target = output)
        {
            LatentProduct product = new()
            {
                Factors = factors,
                RowStride = matrix.Rows,
                Matrix = matrix.Pointer,
                MatrixStride = matrix.Columns,
                Inner = matrix.Rows,
                Columns = matrix.Columns,
                Output = target,
                OutputStride = matrix.Columns,
            };
            switch (VectorPaths.Best)
            {
                case VectorPath.Lanes16:
                    Run<Lanes16, Vector512<float>>(product, count, adds);
                    break;
                case VectorPath.Lanes8:
                    Run<Lanes8, Vector256<float>>(product, count, adds);
                    break;
                default:
                    Run<ScalarLanes, float>(product, count, adds);
                    break;
            }
        }
    }

    private static void Run<TL, TV>(in LatentProduct product, int rows, bool adds)
        where TL : struct, ILanes<TV>
        where TV : struct
    {
        if (adds)
        {
            product.Add<TL, TV>(rows);
        }
        else
        {
            product.Set<TL, TV>(rows);
        }
    }
}
