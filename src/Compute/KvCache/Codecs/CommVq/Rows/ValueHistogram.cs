using Concertina.Compute.Attention;
using Concertina.Compute.Attention.Lanes;

namespace Concertina.Compute.KvCache.Codecs.CommVq.Rows;

/// <summary>
/// Weighted values without decoding them: W[stage, code] += weight * norm for every slot, and once per run
/// sum over (stage, code) of W * C, plus the mean times the weights. Source: https://arxiv.org/abs/2506.18879, equation 22.
/// Scratch: a header of one line, then per row [stages * levels] sums and one line whose first float is the sum of weights.
/// </summary>
internal static unsafe class ValueHistogram<TL, TV>
    where TL : struct, ILanes<TV>
    where TV : struct
{
    public static void Accumulate(ValueHead* head, in UnitView unit, in RowBlock block)
    {
        int entries = head->Stages * head->Levels;
        int stride = entries + ValueHistogram.LineFloats;
        float* sums = (float*)(block.ValueScratch + ValueHistogram.LineBytes);
        if (*(int*)block.ValueScratch == 0)
        {
            // The sizes are known here first, so the first page of a run clears.
            new Span<float>(sums, block.PaddedRows * stride).Clear();
            *(int*)block.ValueScratch = 1;
        }
        for (int row = 0; row < block.PaddedRows; row++, sums += stride)
        {
            float factor = block.Factors[row];
            if (factor != 1f)
            {
                Scale(sums, stride, factor);
                Scale(block.Values + (row * block.HeadDim), block.HeadDim, factor);
            }
            float* weights = block.Scores + (row * KvShape.PageTokens);
            switch (head->Levels)
            {
                case 16:
                    Add<NibblePair>(head, unit.Values, weights, block.Visible[row], sums);
                    break;
                case 64:
                    Add<SixBits>(head, unit.Values, weights, block.Visible[row], sums);
                    break;
                default:
                    Add<EightBits>(head, unit.Values, weights, block.Visible[row], sums);
                    break;
            }
        }
    }

    public static void End(ValueHead* head, in RowBlock block)
    {
        if (*(int*)block.ValueScratch == 0)
        {
            return;
        }
        int entries = head->Stages * head->Levels;
        float* sums = (float*)(block.ValueScratch + ValueHistogram.LineBytes);
        for (int row = 0; row < block.PaddedRows; row++, sums += entries + ValueHistogram.LineFloats)
        {
            float total = sums[entries];
            // A row that saw nothing changes nothing, not even the sign of a zero.
            for (int channel = 0; total != 0f && channel < block.HeadDim; channel += TL.Width)
            {
                float* values = block.Values + (row * block.HeadDim) + channel;
                TV sum = TL.Fma(TL.Set(total), TL.Load(head->Mean + channel), TL.Load(values));
                float* codeword = head->Rows + channel;
                for (int entry = 0; entry < entries; entry++, codeword += block.HeadDim)
                {
                    sum = TL.Fma(TL.Set(sums[entry]), TL.Load(codeword), sum);
                }
                TL.Store(values, sum);
            }
        }
    }

    private static void Add<TCode>(ValueHead* head, byte* part, float* weights, int visible, float* sums)
        where TCode : struct, ICodeRead
    {
        int planes = TCode.IsPair ? head->Stages / 2 : head->Stages;
        int levels = 1 << TCode.SecondBits;
        byte* scales = part + (planes * TCode.PlaneBytes);
        float total = sums[head->Stages * levels];
        for (int slot = 0; slot < visible; slot++)
        {
            total += weights[slot];
            float weight = weights[slot] * head->Scales[scales[slot]];
            float* stage = sums;
            byte* plane = part;
            for (int i = 0; i < planes; i++, plane += TCode.PlaneBytes)
            {
                int code = TCode.Read(plane, slot);
                if (TCode.IsPair)
                {
                    stage[code >> TCode.SecondBits] += weight;
                    stage += levels;
                }
                stage[code & (levels - 1)] += weight;
                stage += levels;
            }
        }
        sums[head->Stages * levels] = total;
    }

    private static void Scale(float* values, int count, float factor)
    {
        TV by = TL.Set(factor);
        for (int i = 0; i < count; i += TL.Width)
        {
            TL.Store(values + i, TL.Multiply(TL.Load(values + i), by));
        }
    }
}

/// <summary>Sizes of the scratch.</summary>
internal static class ValueHistogram
{
    public const int LineBytes = 64;
    public const int LineFloats = 16;

    /// <summary>Bytes for a block of rows.</summary>
    public static int Bytes(CommVqShape shape, int rows) =>
        LineBytes + (rows * ((shape.ValueStages * shape.ValueLevels) + LineFloats) * sizeof(float));
}
