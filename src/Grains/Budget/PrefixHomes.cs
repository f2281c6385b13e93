using System.Runtime.InteropServices;

namespace Concertina.Grains.Budget;

/// <summary>
/// Which worker was last sent a prompt with a given prefix: what routing knows of prefix columns until workers report
/// them. A guess, right while the worker has not dropped the columns; a wrong one costs a prefill. Bounded; the oldest
/// are forgotten first. One thread at a time.
/// </summary>
internal sealed class PrefixHomes(int capacity)
{
    private readonly Dictionary<ulong, Entry> _byHash = [];
    private readonly Queue<ulong> _order = new();

    /// <summary>Columns of the prompt that some accepted worker was sent before, and that worker.</summary>
    /// <param name="hashes">Chained hashes of the prompt's columns.</param>
    /// <param name="isUsable">Whether a worker in an epoch may be chosen.</param>
    public (string Worker, int Columns)? Longest(ReadOnlySpan<ulong> hashes, Func<string, long, bool> isUsable)
    {
        for (int columns = hashes.Length; columns > 0; columns--)
        {
            if (_byHash.TryGetValue(hashes[columns - 1], out Entry entry) && isUsable(entry.Worker, entry.Epoch))
            {
                return (entry.Worker, columns);
            }
        }
        return null;
    }

    /// <summary>Remembers that a prompt went to a worker.</summary>
    public void Add(ReadOnlySpan<ulong> hashes, string worker, long epoch)
    {
        foreach (ulong hash in hashes)
        {
            ref Entry entry = ref CollectionsMarshal.GetValueRefOrAddDefault(_byHash, hash, out bool exists);
            entry = new Entry(worker, epoch);
            if (!exists)
            {
                _order.Enqueue(hash);
            }
        }
        while (_order.Count > capacity)
        {
            _byHash.Remove(_order.Dequeue());
        }
    }

    private readonly record struct Entry(string Worker, long Epoch);
}
