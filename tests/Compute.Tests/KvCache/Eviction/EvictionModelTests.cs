using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Transcoding;
using Concertina.Compute.Tests.Attention;

namespace Concertina.Compute.Tests.KvCache.Eviction;

/// <summary>Random appends, slices, cuts, forks and releases; what is live is always what was written (K17).</summary>
public sealed class EvictionModelTests
{
    [Theory]
    [InlineData(1, "f16+evict2")]
    [InlineData(2, "f16+evict4")]
    [InlineData(3, "f16+evict8")]
    [InlineData(4, "f16+evict3")]
    public void Laws_hold_after_any_sequence_of_operations(int seed, string rung)
    {
        var random = new Random(seed);
        using var rig = new EvictionRig(rung, budgetBytes: 12L << 20);
        long empty = rig.Cache.UsedBytes;
        Sequences.Rows[] rows = [.. Enumerable.Range(0, 3).Select(i => rig.Rows(2000, i))];
        List<(PageTable Table, Sequences.Rows Rows)> live = [];

        for (int step = 0; step < 600; step++)
        {
            Operate(rig, live, rows, random);
            rig.Cache.CheckIntegrity();
            if (step % 20 == 0 && live.Count > 0)
            {
                (PageTable table, Sequences.Rows written) = live[random.Next(live.Count)];
                if (table.TokenCount > 0)
                {
                    rig.AssertContent(table, written);
                }
            }
        }

        Assert.Contains(live, pair => pair.Table.EvictedColumns > 0);
        foreach ((PageTable table, Sequences.Rows written) in live)
        {
            rig.Cache.Release(table);
        }
        rig.Cache.DropUnreferenced(long.MaxValue);
        Assert.Equal(empty, rig.Cache.UsedBytes);
        Assert.Equal(0, rig.Cache.Statistics().Extents);
        rig.Cache.CheckIntegrity();
    }

    private static void Operate(
        EvictionRig rig, List<(PageTable Table, Sequences.Rows Rows)> live, Sequences.Rows[] rows, Random random)
    {
        int index = live.Count == 0 ? 0 : random.Next(live.Count);
        switch (live.Count == 0 ? 0 : random.Next(12))
        {
            case 0 when live.Count < 5:
                PageTable table = rig.Cache.CreateTable();
                Squeezer.SetRung(table, 1);
                live.Add((table, rows[random.Next(rows.Length)]));
                break;
            case 1 when random.Next(4) == 0:
                rig.Cache.Release(live[index].Table);
                live.RemoveAt(index);
                break;
            case 2 when random.Next(3) == 0:
                int tokens = live[index].Table.TokenCount;
                rig.Cache.Truncate(live[index].Table, tokens - random.Next(Math.Min(tokens, 150) + 1));
                break;
            case 3 when live.Count < 5 && random.Next(3) == 0:
                if (rig.Cache.TryFork(live[index].Table, out PageTable fork))
                {
                    live.Add((fork, live[index].Rows));
                }
                break;
            case 4 or 5 or 6:
                int target = Math.Min(2000, live[index].Table.TokenCount + random.Next(1, 120));
                if (target > live[index].Table.TokenCount)
                {
                    rig.Extend(live[index].Table, live[index].Rows, target);
                }
                break;
            default:
                for (int slice = random.Next(60); slice > 0; slice--)
                {
                    rig.Cache.StepTowardsRung(live[index].Table);
                }
                break;
        }
    }
}
