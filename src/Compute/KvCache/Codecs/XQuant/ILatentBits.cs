namespace Concertina.Compute.KvCache.Codecs.XQuant;

/// <summary>What the codecs of the family differ in.</summary>
internal interface ILatentBits
{
    /// <summary>Bits of a code.</summary>
    static abstract int Bits { get; }

    static abstract CodecId Id { get; }

    static abstract string Name { get; }
}

/// <summary>8 bits.</summary>
internal readonly struct Latent8 : ILatentBits
{
    public static int Bits => 8;

    public static CodecId Id => CodecId.XQuant8;

    public static string Name => "xq8";
}

/// <summary>4 bits.</summary>
internal readonly struct Latent4 : ILatentBits
{
    public static int Bits => 4;

    public static CodecId Id => CodecId.XQuant4;

    public static string Name => "xq4";
}

/// <summary>3 bits: a plane of 2 and a plane of 1.</summary>
internal readonly struct Latent3 : ILatentBits
{
    public static int Bits => 3;

    public static CodecId Id => CodecId.XQuant3;

    public static string Name => "xq3";
}

/// <summary>2 bits.</summary>
internal readonly struct Latent2 : ILatentBits
{
    public static int Bits => 2;

    public static CodecId Id => CodecId.XQuant2;

    public static string Name => "xq2";
}
