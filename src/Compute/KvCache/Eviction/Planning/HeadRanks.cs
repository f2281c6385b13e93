namespace Concertina.Compute.KvCache.Eviction.Planning;

/// <summary>
/// Ranks the slots of one head: with which block each would go, and what each block costs. Block e (from 1) is freed by
/// evicting every slot that goes with a block up to e; costs never fall from block to block, so the blocks taken from a
/// head are always its first ones.
/// </summary>
/// <remarks>
/// Source: arXiv 2410.00161, section 4.2.2. A slot whose metric is infinite (protected) or NaN never goes. Equal metrics
/// go in slot order, so ranks do not depend on the sort.
/// </remarks>
internal static class HeadRanks
{
    /// <summary>Mark of a slot that no block takes.</summary>
    public const ushort Never = ushort.MaxValue;

    /// <summary>Blocks of so many slots.</summary>
    public static int Blocks(int slots, int blockTokens) => (slots + blockTokens - 1) / blockTokens;

    /// <summary>Ranks single slots: a block costs what its dearest slot costs.</summary>
    /// <param name="metric">Metric of each slot.</param>
    /// <param name="blockTokens">Slots of a block.</param>
    /// <param name="goesWith">Receives the block each slot goes with, from 1.</param>
    /// <param name="costs">Receives the cost of each block; room for all blocks.</param>
    /// <param name="keys">Scratch, one per slot.</param>
    /// <returns>Blocks that could be freed.</returns>
    public static int BySlot(
        ReadOnlySpan<float> metric, int blockTokens, Span<ushort> goesWith, Span<float> costs, Span<ulong> keys)
    {
        int finite = Sort(metric, keys);
        goesWith[..metric.Length].Fill(Never);
        // The empty slots of the last block count as gone already, so the first block needs only its filled ones.
        int hanging = metric.Length - (blockTokens * (Blocks(metric.Length, blockTokens) - 1));
        int freed = 0;
        int rank = 0;
        for (int end = hanging; metric.Length > 0 && end <= finite && freed < Never - 1; end += blockTokens)
        {
            for (; rank < end; rank++)
            {
                goesWith[(int)(uint)keys[rank]] = (ushort)(freed + 1);
            }
            costs[freed++] = metric[(int)(uint)keys[end - 1]];
        }
        return freed;
    }

    /// <summary>Ranks whole pages as they lie: a page costs the sum of its slots, and goes only if none of them is protected.</summary>
    /// <inheritdoc cref="BySlot"/>
    public static int ByPage(
        ReadOnlySpan<float> metric, int blockTokens, Span<ushort> goesWith, Span<float> costs, Span<ulong> keys)
    {
        int blocks = Blocks(metric.Length, blockTokens);
        goesWith[..metric.Length].Fill(Never);
        for (int block = 0; block < blocks; block++)
        {
            float sum = 0f;
            foreach (float value in Slots(metric, block, blockTokens))
            {
                sum += value;
            }
            costs[block] = sum;
        }
        int finite = Sort(costs[..blocks], keys);
        for (int rank = 0; rank < finite; rank++)
        {
            int first = (int)(uint)keys[rank] * blockTokens;
            goesWith[first..Math.Min(first + blockTokens, metric.Length)].Fill((ushort)(rank + 1));
        }
        for (int rank = 0; rank < finite; rank++)
        {
            costs[rank] = Value(keys[rank]);
        }
        return finite;
    }

    private static ReadOnlySpan<float> Slots(ReadOnlySpan<float> metric, int block, int blockTokens) =>
        metric.Slice(block * blockTokens, Math.Min(blockTokens, metric.Length - (block * blockTokens)));

    // The index below the ordered bits of the value makes every key different, so any sort gives the stable order.
    private static int Sort(ReadOnlySpan<float> values, Span<ulong> keys)
    {
        int finite = 0;
        for (int i = 0; i < values.Length; i++)
        {
            keys[i] = ((ulong)Ordered(values[i]) << 32) | (uint)i;
            finite += float.IsFinite(values[i]) ? 1 : 0;
        }
        keys[..values.Length].Sort();
        return finite;
    }

    // Unsigned integers in the order of the floats; -0 becomes 0, infinities of both signs and NaN come last.
    private static uint Ordered(float value)
    {
        if (!float.IsFinite(value))
        {
            return uint.MaxValue;
        }
        int bits = BitConverter.SingleToInt32Bits(value + 0f);
        return (uint)(bits ^ ((bits >> 31) & int.MaxValue)) ^ 0x8000_0000;
    }

    private static float Value(ulong key)
    {
        int bits = (int)((uint)(key >> 32) ^ 0x8000_0000);
        return BitConverter.Int32BitsToSingle(bits ^ ((bits >> 31) & int.MaxValue));
    }
}
