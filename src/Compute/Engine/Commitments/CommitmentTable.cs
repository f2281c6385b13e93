using Concertina.Compute.KvCache;

namespace Concertina.Compute.Engine.Scheduling;

/// <summary>Commitments by length and rung, asked of the cache once, so that any thread may look them up.</summary>
internal sealed class CommitmentTable
{
    private readonly long[][] _bytesByPages;
    private long _capacityBytes;

    /// <param name="cache">Who knows the bytes.</param>
    /// <param name="contextLength">Longest sequence, in tokens.</param>
    /// <param name="stepTokens">Most rows of a step: what may be written before anything is squeezed again.</param>
    public CommitmentTable(PagedKvCache cache, int contextLength, int stepTokens)
    {
        ContextLength = contextLength;
        _capacityBytes = cache.CommittableBytes;
        PendingColumns = KvShape.PagesFor(stepTokens) + 1;
        _bytesByPages = new long[cache.Rungs.Count][];
        for (int rung = 0; rung < _bytesByPages.Length; rung++)
        {
            _bytesByPages[rung] = new long[KvShape.PagesFor(contextLength) + 1];
            for (int pages = 0; pages < _bytesByPages[rung].Length; pages++)
            {
                _bytesByPages[rung][pages] = cache.CommitmentBytes(pages * KvShape.PageTokens, rung, PendingColumns);
            }
        }
    }

    public int ContextLength { get; }

    /// <summary>What the sum of commitments of new requests may reach; the engine's thread changes it with the budget.</summary>
    public long CapacityBytes
    {
        get => Volatile.Read(ref _capacityBytes);
        set => Volatile.Write(ref _capacityBytes, value);
    }

    /// <summary>Columns behind the recent window that a run on a deeper rung may hold before they are squeezed.</summary>
    public int PendingColumns { get; }

    public long Bytes(int tokens, int rung) => _bytesByPages[rung][KvShape.PagesFor(tokens)];

    /// <summary>Longest sequence whose commitment on a rung fits the whole capacity, at most the context.</summary>
    public int LongestTokens(int rung)
    {
        int pages = _bytesByPages[rung].Length - 1;
        while (pages > 0 && _bytesByPages[rung][pages] > CapacityBytes)
        {
            pages--;
        }
        return Math.Min(pages * KvShape.PageTokens, ContextLength);
    }
}
