using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Concertina.Compute.KvCache.Codecs.CommVq.Books;

/// <summary>Codebooks of all heads of a model, by head index (layer * KvHeadCount + KV head). Immutable.</summary>
internal sealed class CommVqBooks
{
    /// <exception cref="ArgumentException">There is none, the sides differ in number, or heads differ in layout.</exception>
    public CommVqBooks(IReadOnlyList<KeyBook> keys, IReadOnlyList<ValueBook> values)
    {
        if (keys.Count == 0 || keys.Count != values.Count)
        {
            throw new ArgumentException($"There are books for keys of {keys.Count} heads and values of {values.Count}; both need all heads.");
        }
        if (keys.Any(book => book.Layout != keys[0].Layout) || values.Any(book => book.Layout != values[0].Layout)
            || keys[0].Layout.HeadDim != values[0].Layout.HeadDim)
        {
            throw new ArgumentException("All heads of a side have books of one layout, and both sides one head dimension.");
        }
        Keys = [.. keys];
        Values = [.. values];
        Version = Hash();
    }

    public IReadOnlyList<KeyBook> Keys { get; }

    public IReadOnlyList<ValueBook> Values { get; }

    public int HeadCount => Keys.Count;

    public int HeadDim => Keys[0].Layout.HeadDim;

    /// <summary>Codes mean something with books of this version only.</summary>
    public ulong Version { get; }

    /// <summary>Bytes of one side's rows and means.</summary>
    public long Bytes(KvSide side) => sizeof(float) * (side == KvSide.Keys
        ? Keys.Sum(book => (long)book.Rows.Length + book.SecondRows.Length + book.Mean.Length)
        : Values.Sum(book => (long)book.Rows.Length + book.Mean.Length));

    public CommVqShape Shape => new(Keys[0].Layout.Levels, Keys[0].Layout.Stages, Values[0].Layout.Levels, Values[0].Layout.Stages);

    private ulong Hash()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (KeyBook book in Keys)
        {
            hash.AppendData(MemoryMarshal.AsBytes(book.Rows.Span));
            hash.AppendData(MemoryMarshal.AsBytes(book.SecondRows.Span));
            hash.AppendData(MemoryMarshal.AsBytes(book.Mean.Span));
        }
        foreach (ValueBook book in Values)
        {
            hash.AppendData(MemoryMarshal.AsBytes(book.Rows.Span));
            hash.AppendData(MemoryMarshal.AsBytes(book.Mean.Span));
        }
        CommVqShape shape = Shape;
        hash.AppendData(MemoryMarshal.AsBytes(new ReadOnlySpan<CommVqShape>(in shape)));
        return MemoryMarshal.Read<ulong>(hash.GetHashAndReset());
    }
}
