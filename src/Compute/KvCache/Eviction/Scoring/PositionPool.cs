namespace Concertina.Compute.KvCache.Eviction.Scoring;

/// <summary>
/// Maximum over the live keys whose position differs by at most a radius. For neighbouring positions this is max-pooling
/// with stride 1 and same padding; after compaction, positions have gaps, and distance means positions, not slots.
/// </summary>
internal static class PositionPool
{
    /// <summary>Pools, in any slot order; a head out of order costs two arrays.</summary>
    /// <param name="positions">Position of each slot; no position twice.</param>
    /// <param name="values">Value of each slot.</param>
    /// <param name="radius">Largest difference.</param>
    /// <param name="sums">Receives the maximum, added to what is there.</param>
    public static void AddMaximum(ReadOnlySpan<int> positions, ReadOnlySpan<float> values, int radius, Span<float> sums)
    {
        for (int slot = 1; slot < positions.Length; slot++)
        {
            if (positions[slot] <= positions[slot - 1])
            {
                AddUnordered(positions, values, radius, sums);
                return;
            }
        }
        for (int slot = 0; slot < positions.Length; slot++)
        {
            float largest = values[slot];
            for (int near = slot - 1; near >= 0 && positions[slot] - positions[near] <= radius; near--)
            {
                largest = MathF.Max(largest, values[near]);
            }
            for (int near = slot + 1; near < positions.Length && positions[near] - positions[slot] <= radius; near++)
            {
                largest = MathF.Max(largest, values[near]);
            }
            sums[slot] += largest;
        }
    }

    private static void AddUnordered(ReadOnlySpan<int> positions, ReadOnlySpan<float> values, int radius, Span<float> sums)
    {
        int[] sorted = positions.ToArray();
        int[] slots = [.. Enumerable.Range(0, positions.Length)];
        Array.Sort(sorted, slots);
        for (int i = 0; i < slots.Length; i++)
        {
            float largest = values[slots[i]];
            for (int near = i - 1; near >= 0 && sorted[i] - sorted[near] <= radius; near--)
            {
                largest = MathF.Max(largest, values[slots[near]]);
            }
            for (int near = i + 1; near < slots.Length && sorted[near] - sorted[i] <= radius; near++)
            {
                largest = MathF.Max(largest, values[slots[near]]);
            }
            sums[slots[i]] += largest;
        }
    }
}
