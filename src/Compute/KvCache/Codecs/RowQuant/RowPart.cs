using Concertina.Compute.KvCache.Memory;

namespace Concertina.Compute.KvCache.Codecs.RowQuant;

/// <summary>Where things lie in a part: see <see cref="RowQuantCodec{TBits, TForm}"/>.</summary>
internal static class RowPart
{
    /// <summary>Tokens of a group of keys by channel.</summary>
    public const int ChannelGroup = 32;

    public static int WordBytes(UnitShape shape, int bits) => shape.ElementCount * bits / 8;

    /// <summary>Lanes of a line of words: slots of keys, channels of values.</summary>
    public static int Lanes(KvSide side, UnitShape shape) => side == KvSide.Keys ? shape.SlotCount : shape.HeadDim;

    /// <summary>Pairs (scale, minimum) of a part.</summary>
    public static int ScaleCount<TForm>(KvSide side, UnitShape shape)
        where TForm : struct, IRowForm => side == KvSide.Values
            ? ValueGroups<TForm>(shape.HeadDim) * ScaleSlots<TForm>(shape)
            : TForm.KeysByChannel ? shape.SlotCount / ChannelGroup * shape.HeadDim : ScaleSlots<TForm>(shape);

    /// <summary>Pairs (scale, minimum) of one group over all slots.</summary>
    public static int ScaleSlots<TForm>(UnitShape shape)
        where TForm : struct, IRowForm => shape.SlotCount / TForm.TokensOfScale;

    public static int ValueGroups<TForm>(int headDim)
        where TForm : struct, IRowForm => (headDim + TForm.ValueGroup(headDim) - 1) / TForm.ValueGroup(headDim);

    /// <summary>Index of an element's scale among the scales.</summary>
    public static int ScaleAt<TForm>(KvSide side, UnitShape shape, int slot, int channel)
        where TForm : struct, IRowForm => side == KvSide.Values
            ? (channel / TForm.ValueGroup(shape.HeadDim) * ScaleSlots<TForm>(shape)) + (slot / TForm.TokensOfScale)
            : TForm.KeysByChannel ? (slot / ChannelGroup * shape.HeadDim) + channel : slot / TForm.TokensOfScale;

    /// <summary>Channels that share a scale in one slot.</summary>
    public static int GroupChannels<TForm>(KvSide side, int headDim)
        where TForm : struct, IRowForm =>
        side == KvSide.Values ? TForm.ValueGroup(headDim) : TForm.KeysByChannel ? 1 : headDim;

    /// <summary>First word of a slot's values and where their codes begin in it.</summary>
    public static (int At, int Shift) ValueField(int slot, UnitShape shape, int bits)
    {
        int half = shape.SlotCount / 2;
        int perLine = 16 / bits;
        int inHalf = slot % half;
        return (inHalf / perLine * shape.HeadDim, (inHalf % perLine * bits) + (slot / half * 16));
    }
}
