using System.Buffers;

namespace Concertina.Tokenization.Bpe;

/// <summary>Merges the byte tokens of one word until no merge applies: always the strongest merge, the leftmost among equals.
/// Short words scan; long ones keep a heap, so that a word of n bytes costs O(n log n).</summary>
internal static class WordMerger
{
    /// <summary>Up to here a scan is faster than a heap (its cost is quadratic).</summary>
    public const int ScanLimit = 48;

    /// <summary>Merges in place.</summary>
    /// <param name="ids">Byte tokens in, merged tokens out (a prefix of the span).</param>
    /// <param name="merges">The table.</param>
    /// <returns>Count of tokens left.</returns>
    public static int Merge(Span<int> ids, MergeTable merges) =>
        ids.Length <= ScanLimit ? Scan(ids, merges) : WithHeap(ids, merges);

    internal static int Scan(Span<int> ids, MergeTable merges)
    {
        int count = ids.Length;
        while (count > 1)
        {
            int bestRank = int.MaxValue;
            int bestAt = -1;
            int bestId = 0;
            for (int at = 0; at + 1 < count; at++)
            {
                if (merges.TryFind(ids[at], ids[at + 1], out MergeTable.Merge merge) && merge.Rank < bestRank)
                {
                    (bestRank, bestAt, bestId) = (merge.Rank, at, merge.Id);
                }
            }

            if (bestAt < 0)
            {
                break;
            }

            ids[bestAt] = bestId;
            ids[(bestAt + 2)..count].CopyTo(ids[(bestAt + 1)..]);
            count--;
        }

        return count;
    }

    internal static int WithHeap(Span<int> ids, MergeTable merges)
    {
        int length = ids.Length;
        int[] next = ArrayPool<int>.Shared.Rent(length);
        int[] previous = ArrayPool<int>.Shared.Rent(length);
        PriorityQueue<Candidate, (int Rank, int At)> heap = new(length);
        for (int at = 0; at < length; at++)
        {
            next[at] = at + 1;
            previous[at] = at - 1;
            Offer(heap, merges, ids, (at, at + 1));
        }

        while (heap.TryDequeue(out Candidate candidate, out (int Rank, int At) place))
        {
            int right = next[place.At];

            // A neighbour changed since this candidate was offered: a fresh candidate stands for the new pair.
            if (right >= length || ids[place.At] != candidate.Left || ids[right] != candidate.Right)
            {
                continue;
            }

            ids[place.At] = candidate.Merged;
            ids[right] = Gone;
            int after = next[right];
            next[place.At] = after;
            if (after < length)
            {
                previous[after] = place.At;
            }

            Offer(heap, merges, ids, (previous[place.At], place.At));
            Offer(heap, merges, ids, (place.At, after));
        }

        ArrayPool<int>.Shared.Return(next);
        ArrayPool<int>.Shared.Return(previous);
        return Compact(ids);
    }

    private const int Gone = -1;

    private static void Offer(
        PriorityQueue<Candidate, (int Rank, int At)> heap, MergeTable merges, ReadOnlySpan<int> ids, (int Left, int Right) at)
    {
        if (at.Left >= 0 && at.Right < ids.Length && merges.TryFind(ids[at.Left], ids[at.Right], out MergeTable.Merge merge))
        {
            heap.Enqueue(new Candidate(ids[at.Left], ids[at.Right], merge.Id), (merge.Rank, at.Left));
        }
    }

    private static int Compact(Span<int> ids)
    {
        int count = 0;
        foreach (int id in ids)
        {
            if (id != Gone)
            {
                ids[count++] = id;
            }
        }

        return count;
    }

    private readonly record struct Candidate(int Left, int Right, int Merged);
}
