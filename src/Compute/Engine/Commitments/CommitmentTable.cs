using Concertina.Compute.KvCache;

namespace Concertina.Compute.Engine.Scheduling;

/// <summary>Commitments by length, asked of the cache once, so that any thread may look them up.</summary>
internal sealed class CommitmentTable
{
    private readonly long[] _bytesByPages;

    /// <param name="cache">Who knows the bytes.</param>
    /// <param name="contextLength">Longest sequence, in tokens.</param>
    public CommitmentTable(PagedKvCache cache, int contextLength)
    {
        ContextLength = contextLength;
        CapacityBytes = cache.CommittableBytes;
        _bytesByPages = new long[KvShape.PagesFor(contextLength) + 1];
        for (int pages = 0; pages < _bytesByPages.Length; pages++)
        {
            _bytesByPages[pages] = cache.CommitmentBytes(pages * KvShape.PageTokens);
        }
    }

    public int ContextLength { get; }

    /// <summary>What the sum of commitments may reach.</summary>
    public long CapacityBytes { get; }

    public long Bytes(int tokens) => _bytesByPages[KvShape.PagesFor(tokens)];

    /// <summary>Longest sequence whose commitment fits the whole capacity, at most the context.</summary>
    public int LongestTokens()
    {
        int pages = _bytesByPages.Length - 1;
        while (pages > 0 && _bytesByPages[pages] > CapacityBytes)
        {
            pages--;
        }
        return Math.Min(pages * KvShape.PageTokens, ContextLength);
    }
}
