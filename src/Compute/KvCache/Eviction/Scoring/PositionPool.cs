namespace Concertina.Compute.KvCache.Eviction.Scoring;

/// <summary>
/// Maximum over the live keys whose position differs by at most a radius. For neighbouring positions this is max-pooling
/// with stride 1 and same padding; after compaction, positions have gaps, and distance means positions, not slots.
/// </summary>
internal static class PositionPool
{
    /// <summary>Pools some slots.</summary>
    /// <param name="positions">Position of each slot, ascending.</param>
    /// <param name="values">Value of each slot.</param>
    /// <param name="range">Which slots, and how far to look.</param>
    /// <param name="sums">One per slot from the range's first on; receives the maximum, added to what is there.</param>
    public static void AddMaximum(ReadOnlySpan<int> positions, ReadOnlySpan<float> values, PoolRange range, Span<float> sums)
    {
        for (int i = 0; i < sums.Length; i++)
        {
            int slot = range.First + i;
            float largest = values[slot];
            for (int near = slot - 1; near >= 0 && positions[slot] - positions[near] <= range.Radius; near--)
            {
                largest = MathF.Max(largest, values[near]);
            }
            for (int near = slot + 1; near < positions.Length && positions[near] - positions[slot] <= range.Radius; near++)
            {
                largest = MathF.Max(largest, values[near]);
            }
            sums[i] += largest;
        }
    }
}

/// <summary>Slots to pool.</summary>
/// <param name="First">First slot.</param>
/// <param name="Radius">Largest difference of positions.</param>
internal readonly record struct PoolRange(int First, int Radius);
