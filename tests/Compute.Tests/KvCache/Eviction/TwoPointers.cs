namespace Concertina.Compute.Tests.KvCache.Eviction;

/// <summary>The published compaction: survivors of the tail fill the holes before it. The engine's keeps the order instead.</summary>
internal static class TwoPointers
{
    public static (List<(int From, int To)> Moves, int[] Table) Compact(int slots, int blockTokens, int blocks, int[] evicted)
    {
        int[] table = [.. Enumerable.Range(0, slots)];
        if (blocks == 0)
        {
            return ([], table);
        }
        bool[] gone = new bool[slots];
        Array.ForEach(evicted, slot => gone[slot] = true);
        int end = (((slots + blockTokens - 1) / blockTokens) - blocks) * blockTokens;
        List<(int, int)> moves = [];
        int hole = 0;
        for (int slot = slots - 1; slot >= end; slot--)
        {
            if (!gone[slot])
            {
                while (!gone[hole])
                {
                    hole++;
                }
                moves.Add((slot, hole));
                table[hole] = slot;
                gone[hole] = false;
            }
        }
        return (moves, table[..end]);
    }
}
