namespace Concertina.Compute.KvCache.Codecs.RowQuant;

/// <summary>What the codecs of the family differ in, beside the bits of a code.</summary>
internal interface IRowForm
{
    static abstract CodecId Id { get; }

    static abstract string Name { get; }

    /// <summary>True when keys are rotated before they are quantised, and queries with them.</summary>
    static abstract bool RotatesKeys { get; }

    /// <summary>True when a group of keys is one channel of 32 tokens instead of all channels of one token.</summary>
    static abstract bool KeysByChannel { get; }

    /// <summary>Channels of a group of values.</summary>
    static abstract int ValueGroup(int headDim);

    /// <summary>Tokens that share a scale: 1, or a divisor of the page's; more than 1 where a group of values is a whole row.</summary>
    static virtual int TokensOfScale => 1;

    /// <summary>Share of a group's range that the codes cover, around its middle; what lies outside is clamped.</summary>
    static abstract float RangeShare { get; }

    /// <summary>See <see cref="IKvCodec.AttendTolerance"/>.</summary>
    static abstract float AttendTolerance { get; }

    /// <summary>See <see cref="IKvCodec.EncodeWeight"/>.</summary>
    static abstract double EncodeWeight { get; }
}

/// <summary>8 bits.</summary>
internal readonly struct Int8Form : IRowForm
{
    public static CodecId Id => CodecId.Int8;

    public static string Name => "int8";

    public static bool RotatesKeys => false;

    public static bool KeysByChannel => false;

    public static int ValueGroup(int headDim) => headDim;

    public static float RangeShare => 1f;

    public static float AttendTolerance => 5e-4f;

    public static double EncodeWeight => 1;
}

/// <summary>4 bits, rotated keys.</summary>
internal readonly struct Int4Form : IRowForm
{
    public static CodecId Id => CodecId.Int4;

    public static string Name => "int4";

    public static bool RotatesKeys => true;

    public static bool KeysByChannel => false;

    public static int ValueGroup(int headDim) => headDim;

    public static float RangeShare => 1f;

    public static float AttendTolerance => 5e-4f;

    public static double EncodeWeight => 1.2;
}

/// <summary>2 bits, rotated keys, the ends of the range clamped.</summary>
internal readonly struct Int2Form : IRowForm
{
    public static CodecId Id => CodecId.Int2;

    public static string Name => "int2";

    public static bool RotatesKeys => true;

    public static bool KeysByChannel => false;

    public static int ValueGroup(int headDim) => headDim;

    public static float RangeShare => 0.75f;

    public static float AttendTolerance => 5e-4f;

    public static double EncodeWeight => 1.2;
}

/// <summary>4 bits without rotation: measured against <see cref="Int4Form"/>.</summary>
internal readonly struct PlainInt4Form : IRowForm
{
    public static CodecId Id => CodecId.Int4Plain;

    public static string Name => "int4p";

    public static bool RotatesKeys => false;

    public static bool KeysByChannel => false;

    public static int ValueGroup(int headDim) => headDim;

    public static float RangeShare => 1f;

    public static float AttendTolerance => 5e-4f;

    public static double EncodeWeight => 1;
}

/// <summary>2 bits as in KIVI (Liu et al. 2024): keys by channel over 32 tokens, values by 32 channels of a token.</summary>
internal readonly struct ChannelInt2Form : IRowForm
{
    public static CodecId Id => CodecId.Int2Channel;

    public static string Name => "int2c";

    public static bool RotatesKeys => false;

    public static bool KeysByChannel => true;

    public static int ValueGroup(int headDim) => 32;

    public static float RangeShare => 1f;

    public static float AttendTolerance => 4e-3f;

    public static double EncodeWeight => 1.2;
}

/// <summary><see cref="Int2Form"/> with one scale for four tokens: the bytes of commvq2, to compare at equal bytes.</summary>
internal readonly struct GroupedInt2Form : IRowForm
{
    public static CodecId Id => CodecId.Int2Grouped;

    public static string Name => "int2g";

    public static bool RotatesKeys => true;

    public static bool KeysByChannel => false;

    public static int ValueGroup(int headDim) => headDim;

    public static int TokensOfScale => 4;

    public static float RangeShare => 0.75f;

    public static float AttendTolerance => 5e-4f;

    public static double EncodeWeight => 1.2;
}
