using Concertina.Compute.Attention;
using Concertina.Compute.Attention.Lanes;
using Concertina.Compute.KvCache.Memory;

namespace Concertina.Compute.KvCache.Codecs;

/// <summary>The codecs of one cache, by number: those without model data, and those made from its model's KV profile.</summary>
internal sealed class CodecSet
{
    /// <summary>Numbers lie below this, so that a pair of them indexes a table.</summary>
    public const int IdLimit = 64;

    private readonly IKvCodec?[] _byId = new IKvCodec?[IdLimit];

    /// <exception cref="ArgumentException">Two codecs have one number, or a number is out of range.</exception>
    public CodecSet(IEnumerable<IKvCodec> codecs)
    {
        foreach (IKvCodec codec in codecs)
        {
            int id = (int)codec.Id;
            if (id is <= 0 or >= IdLimit || _byId[id] is not null)
            {
                throw new ArgumentException($"Codec '{codec.Name}' has number {id}, which is taken or not in 1 to {IdLimit - 1}.", nameof(codecs));
            }
            _byId[id] = codec;
        }
    }

    /// <summary>The codecs, in the order of their numbers.</summary>
    public IEnumerable<IKvCodec> All => _byId.OfType<IKvCodec>();

    /// <summary>Names, for messages.</summary>
    public string Names => string.Join(", ", All.Select(codec => codec.Name));

    /// <exception cref="ArgumentException">No codec of this cache has the number.</exception>
    public IKvCodec Get(CodecId id) => _byId[(int)id & (IdLimit - 1)] is { } codec && codec.Id == id
        ? codec
        : throw new ArgumentException($"Codec number {(int)id} is not known to this cache; known are {Names}.", nameof(id));

    /// <summary>The codec of a name, or null.</summary>
    public IKvCodec? Find(string name) => All.FirstOrDefault(codec => codec.Name == name);

    /// <summary>Index of a pair in <see cref="Attends"/>.</summary>
    public static int Pair(int keyCodec, int valueCodec) => (keyCodec * IdLimit) + valueCodec;

    /// <summary>Attention for every pair (key codec, value codec).</summary>
    public IUnitAttend?[] Attends(VectorPath path)
    {
        IUnitAttend?[] attends = new IUnitAttend?[IdLimit * IdLimit];
        foreach (IKvCodec keys in All)
        {
            foreach (IKvCodec values in All)
            {
                attends[Pair((int)keys.Id, (int)values.Id)] = keys.AttendWith(values, path);
            }
        }
        return attends;
    }

    /// <summary>Bytes that live as long as the cache: codebooks and the like.</summary>
    public long ScratchBytes(UnitShape shape) =>
        All.Sum(codec => codec.ScratchBytes(KvSide.Keys, shape) + codec.ScratchBytes(KvSide.Values, shape));

    /// <summary>Bytes of one worker's scratch for a block of rows on one side: the largest any codec needs.</summary>
    public int BlockScratchBytes(KvSide side, int rows, int headDim) =>
        All.Max(codec => codec.BlockScratchBytes(side, rows, headDim));
}
