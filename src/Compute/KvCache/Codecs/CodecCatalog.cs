using Concertina.Compute.KvCache.Codecs.CommVq;
using Concertina.Compute.KvCache.Codecs.F16;
using Concertina.Compute.KvCache.Codecs.F32;
using Concertina.Compute.KvCache.Codecs.Fourier;
using Concertina.Compute.KvCache.Codecs.RowQuant;
using Concertina.Compute.KvCache.Codecs.XQuant;

namespace Concertina.Compute.KvCache.Codecs;

/// <summary>The only place that names all codecs.</summary>
internal static class CodecCatalog
{
    private static readonly IKvCodec[] Codecs =
    [
        new F32Codec(),
        new F16Codec(),
        new RowQuantCodec<Bits8, Int8Form>(),
        new RowQuantCodec<Bits4, Int4Form>(),
        new RowQuantCodec<Bits2, Int2Form>(),
        new RowQuantCodec<Bits4, PlainInt4Form>(),
        new RowQuantCodec<Bits2, ChannelInt2Form>(),
        new RowQuantCodec<Bits2, GroupedInt2Form>(),
    ];

    /// <summary>All codecs that need no model data, in the order of their numbers.</summary>
    public static IReadOnlyList<IKvCodec> All => Codecs;

    /// <summary>The codecs of a cache without a KV profile.</summary>
    public static CodecSet WithoutProfile() => new(Codecs);

    /// <summary>The codecs of a cache whose model has CommVQ codebooks: commvq2 and commvq1 besides those without model data.</summary>
    public static CodecSet WithCommVq(CommVqSetup setup)
    {
        (CommVqCodec two, CommVqCodec one) = CommVqCodec.Make(setup);
        return new CodecSet([.. Codecs, two, one]);
    }

    /// <summary>The codecs of a cache whose model has latent maps: those of a set, and xq8 to xq2.</summary>
    public static CodecSet WithXQuant(CodecSet codecs, XQuantSetup setup) => new([.. codecs.All, .. XQuantCodecs.Make(setup)]);

    /// <summary>The codecs of a cache that stores segments: those of a set, and fourier16, fourier8 and fourier4. No rung has them yet.</summary>
    public static CodecSet WithFourier(CodecSet codecs, FourierSetup setup) => new([.. codecs.All, .. FourierCodecs.Make(setup)]);

    /// <summary>The codec of a name, or null.</summary>
    public static IKvCodec? Find(string name) => Array.Find(Codecs, codec => codec.Name == name);

    /// <summary>The codec that the options name, which can hold open pages.</summary>
    /// <exception cref="ArgumentException">There is none; the message has the names.</exception>
    public static IKvCodec ForOpenPages(KvCacheOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Find(options.Codec) is { HoldsOpenPages: true } codec
            ? codec
            : throw new ArgumentException(
                $"KvCache:Codec '{options.Codec}' cannot hold open pages; known codecs are {WithoutProfile().Names}.");
    }
}
