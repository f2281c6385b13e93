using Concertina.Compute.Attention.Lanes;

namespace Concertina.Compute.KvCache.Codecs.CommVq.Rows;

/// <summary>Values of a page as rows: sums of codewords, times the norm, plus the mean. Lanes are channels.</summary>
internal static unsafe class ValueRows<TL, TV>
    where TL : struct, ILanes<TV>
    where TV : struct
{
    /// <summary>Decodes the first slots, [slots, headDim].</summary>
    public static void Decode(ValueHead* head, byte* part, int slots, float* rows)
    {
        switch (head->Levels)
        {
            case 16:
                Decode<NibblePair>(head, part, slots, rows);
                break;
            case 64:
                Decode<SixBits>(head, part, slots, rows);
                break;
            default:
                Decode<EightBits>(head, part, slots, rows);
                break;
        }
    }

    private static void Decode<TCode>(ValueHead* head, byte* part, int slots, float* rows)
        where TCode : struct, ICodeRead
    {
        int headDim = head->HeadDim;
        int planes = TCode.IsPair ? head->Stages / 2 : head->Stages;
        byte* scales = part + (planes * TCode.PlaneBytes);
        for (int slot = 0; slot < slots; slot++, rows += headDim)
        {
            TV norm = TL.Set(head->Scales[scales[slot]]);
            int channel = 0;
            for (; channel + (4 * TL.Width) <= headDim; channel += 4 * TL.Width)
            {
                Four<TCode>(head, part, (slot, planes), channel, rows, norm);
            }
            for (; channel < headDim; channel += TL.Width)
            {
                One<TCode>(head, part, (slot, planes), channel, rows, norm);
            }
        }
    }

    private static void Four<TCode>(ValueHead* head, byte* plane, (int Slot, int Planes) at, int channel, float* row, TV norm)
        where TCode : struct, ICodeRead
    {
        int headDim = head->HeadDim;
        int stage = headDim << TCode.SecondBits;
        TV zero = TL.Set(0f);
        TV a0 = zero, a1 = zero, a2 = zero, a3 = zero, b0 = zero, b1 = zero, b2 = zero, b3 = zero;
        float* table = head->Rows + channel;
        for (int i = 0; i < at.Planes; i++, plane += TCode.PlaneBytes)
        {
            int code = TCode.Read(plane, at.Slot);
            if (TCode.IsPair)
            {
                float* first = table + ((code >> TCode.SecondBits) * headDim);
                a0 = TL.Add(a0, TL.Load(first));
                a1 = TL.Add(a1, TL.Load(first + TL.Width));
                a2 = TL.Add(a2, TL.Load(first + (2 * TL.Width)));
                a3 = TL.Add(a3, TL.Load(first + (3 * TL.Width)));
                table += stage;
            }
            float* second = table + ((code & ((1 << TCode.SecondBits) - 1)) * headDim);
            b0 = TL.Add(b0, TL.Load(second));
            b1 = TL.Add(b1, TL.Load(second + TL.Width));
            b2 = TL.Add(b2, TL.Load(second + (2 * TL.Width)));
            b3 = TL.Add(b3, TL.Load(second + (3 * TL.Width)));
            table += stage;
        }
        float* mean = head->Mean + channel;
        row += channel;
        TL.Store(row, TL.Fma(norm, TL.Add(a0, b0), TL.Load(mean)));
        TL.Store(row + TL.Width, TL.Fma(norm, TL.Add(a1, b1), TL.Load(mean + TL.Width)));
        TL.Store(row + (2 * TL.Width), TL.Fma(norm, TL.Add(a2, b2), TL.Load(mean + (2 * TL.Width))));
        TL.Store(row + (3 * TL.Width), TL.Fma(norm, TL.Add(a3, b3), TL.Load(mean + (3 * TL.Width))));
    }

    private static void One<TCode>(ValueHead* head, byte* plane, (int Slot, int Planes) at, int channel, float* row, TV norm)
        where TCode : struct, ICodeRead
    {
        int headDim = head->HeadDim;
        int stage = headDim << TCode.SecondBits;
        TV a = TL.Set(0f), b = a;
        float* table = head->Rows + channel;
        for (int i = 0; i < at.Planes; i++, plane += TCode.PlaneBytes)
        {
            int code = TCode.Read(plane, at.Slot);
            if (TCode.IsPair)
            {
                a = TL.Add(a, TL.Load(table + ((code >> TCode.SecondBits) * headDim)));
                table += stage;
            }
            b = TL.Add(b, TL.Load(table + ((code & ((1 << TCode.SecondBits) - 1)) * headDim)));
            table += stage;
        }
        TL.Store(row + channel, TL.Fma(norm, TL.Add(a, b), TL.Load(head->Mean + channel)));
    }
}
