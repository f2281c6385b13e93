using Concertina.Compute.Attention;
using Concertina.Compute.Attention.Lanes;

namespace Concertina.Compute.KvCache.Codecs.XQuant;

/// <summary>
/// Weighted sums of latents during a run. Scratch: a line with a flag (0 until the first page) and the first row that sees
/// anything, then sums [rows, Stride], then a tile [64, Stride].
/// </summary>
internal static unsafe class LatentSums
{
    private const int LineBytes = 64;

    /// <summary>Bytes for a block of rows.</summary>
    public static int Bytes(int rows, int stride) => LineBytes + ((rows + KvShape.PageTokens) * stride * sizeof(float));

    public static void Begin(in RowBlock block) => *(int*)block.ValueScratch = 0;

    /// <summary>The block with its sums in place of values; the first page of a run clears them.</summary>
    public static RowBlock Rows(LatentHead* head, in RowBlock block)
    {
        RowBlock sums = block;
        sums.HeadDim = head->Stride;
        sums.Values = (float*)(block.ValueScratch + LineBytes);
        int* header = (int*)block.ValueScratch;
        if (header[0] == 0)
        {
            new Span<float>(sums.Values, block.PaddedRows * head->Stride).Clear();
            // Pages and rows ascend: a row that does not see the first page sees none.
            int first = 0;
            while (first < block.PaddedRows && block.Visible[first] == 0)
            {
                first++;
            }
            (header[0], header[1]) = (1, first);
        }
        return sums;
    }

    public static float* Tile(LatentHead* head, in RowBlock block) =>
        (float*)(block.ValueScratch + LineBytes) + (block.PaddedRows * head->Stride);

    /// <summary>What other units left in the values takes the factor of the new maximum too.</summary>
    public static void ScaleValues<TL, TV>(in RowBlock block)
        where TL : struct, ILanes<TV>
        where TV : struct
    {
        for (int row = 0; row < block.PaddedRows; row++)
        {
            if (block.Factors[row] == 1f)
            {
                continue;
            }
            TV factor = TL.Set(block.Factors[row]);
            float* values = block.Values + (row * block.HeadDim);
            for (int channel = 0; channel < block.HeadDim; channel += TL.Width)
            {
                TL.Store(values + channel, TL.Multiply(TL.Load(values + channel), factor));
            }
        }
    }

    /// <summary>values += sums M_h, for the rows that saw something; the others do not even lose the sign of a zero.</summary>
    public static void End<TL, TV>(LatentHead* head, in RowBlock block)
        where TL : struct, ILanes<TV>
        where TV : struct
    {
        int* header = (int*)block.ValueScratch;
        if (header[0] == 0)
        {
            return;
        }
        int first = header[1];
        LatentProduct product = new()
        {
            Factors = (float*)(block.ValueScratch + LineBytes) + (first * head->Stride),
            RowStride = head->Stride,
            Matrix = head->Matrix,
            MatrixStride = block.HeadDim,
            Inner = head->Inner,
            Columns = block.HeadDim,
            Output = block.Values + (first * block.HeadDim),
            OutputStride = block.HeadDim,
        };
        product.Add<TL, TV>(block.PaddedRows - first);
    }
}
