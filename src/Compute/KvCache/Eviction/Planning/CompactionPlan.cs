namespace Concertina.Compute.KvCache.Eviction.Planning;

/// <summary>
/// Where the surviving slots of one head go: forward, each as far as the holes before it, so that positions keep
/// ascending. The moves are (from Survivors[i], to i) for i from FirstMoved on; a source is never below its target, so
/// moving in ascending order overwrites nothing that is still needed.
/// </summary>
/// <remarks>
/// The paper's two-pointer form moves fewer slots but loses the order, and with it the offsets of 16 bits and the search
/// by position. The set of survivors is the same.
/// </remarks>
internal readonly ref struct CompactionPlan
{
    private CompactionPlan(ReadOnlySpan<int> survivors, int firstMoved, int freedPages)
    {
        Survivors = survivors;
        FirstMoved = firstMoved;
        FreedPages = freedPages;
    }

    /// <summary>Old slot of each slot that stays.</summary>
    public ReadOnlySpan<int> Survivors { get; }

    /// <summary>Slots below stay where they are; all from here on move, or none is left.</summary>
    public int FirstMoved { get; }

    /// <summary>Pages at the end that hold nothing afterwards.</summary>
    public int FreedPages { get; }

    /// <summary>Plans one head.</summary>
    /// <param name="goesWith">Block each slot goes with, as <see cref="HeadRanks"/> gave it.</param>
    /// <param name="blocks">Blocks taken from this head; 0 leaves it alone.</param>
    /// <param name="blockTokens">Slots of a page.</param>
    /// <param name="survivors">Memory for the plan, one per slot.</param>
    public static CompactionPlan Make(ReadOnlySpan<ushort> goesWith, int blocks, int blockTokens, Span<int> survivors)
    {
        int count = 0;
        int firstMoved = -1;
        for (int slot = 0; slot < goesWith.Length; slot++)
        {
            if (goesWith[slot] > blocks)
            {
                firstMoved = firstMoved < 0 && count != slot ? count : firstMoved;
                survivors[count++] = slot;
            }
        }
        int freed = HeadRanks.Blocks(goesWith.Length, blockTokens) - HeadRanks.Blocks(count, blockTokens);
        return new CompactionPlan(survivors[..count], firstMoved < 0 ? count : firstMoved, freed);
    }
}
