using Concertina.Compute.Attention;
using Concertina.Compute.Attention.Lanes;
using Concertina.Compute.KvCache.Codecs.F16;
using Concertina.Compute.KvCache.Codecs.F32;

namespace Concertina.Compute.KvCache.Codecs;

/// <summary>The only place that names all codecs.</summary>
internal static class CodecCatalog
{
    private static readonly IKvCodec[] Codecs =
    [
        new F32Codec(),
        new F16Codec(),
    ];

    /// <summary>All codecs, in the order of their numbers.</summary>
    public static IReadOnlyList<IKvCodec> All => Codecs;

    /// <summary>Largest number in use.</summary>
    public static int LastId => (int)Codecs[^1].Id;

    /// <summary>Names, for messages.</summary>
    public static string Names => string.Join(", ", Codecs.Select(codec => codec.Name));

    /// <exception cref="ArgumentException">No codec has the number.</exception>
    public static IKvCodec Get(CodecId id) => Array.Find(Codecs, codec => codec.Id == id)
        ?? throw new ArgumentException($"Codec number {(int)id} is not known to this version; known are {Names}.", nameof(id));

    /// <summary>The codec of a name, or null.</summary>
    public static IKvCodec? Find(string name) => Array.Find(Codecs, codec => codec.Name == name);

    /// <summary>The codec that the options name, which can hold open pages.</summary>
    /// <exception cref="ArgumentException">There is none; the message has the names.</exception>
    public static IKvCodec ForOpenPages(KvCacheOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Find(options.Codec) is { HoldsOpenPages: true } codec
            ? codec
            : throw new ArgumentException($"KvCache:Codec '{options.Codec}' cannot hold open pages; known codecs are {Names}.");
    }

    /// <summary>Attention for every pair (key codec, value codec), at key * (LastId + 1) + value.</summary>
    public static IUnitAttend?[] Attends(VectorPath path)
    {
        int stride = LastId + 1;
        IUnitAttend?[] attends = new IUnitAttend?[stride * stride];
        foreach (IKvCodec keys in Codecs)
        {
            foreach (IKvCodec values in Codecs)
            {
                attends[((int)keys.Id * stride) + (int)values.Id] = keys.AttendWith(values, path);
            }
        }
        return attends;
    }
}
