using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Eviction;
using Concertina.Compute.KvCache.Memory;
using Concertina.Compute.KvCache.Transcoding;
using Concertina.Compute.Tests.Attention;

namespace Concertina.Compute.Tests.KvCache.Eviction;

/// <summary>Eviction of tables inside the cache.</summary>
public sealed class EvictorTests
{
    public static TheoryData<string> Ablations => ["method", "L1", "recency", "uniform", "pages", "no pool"];

    [Theory]
    [MemberData(nameof(Ablations))]
    public void A_table_keeps_exactly_what_the_schedule_over_its_rows_says(string name)
    {
        using var rig = new EvictionRig(options: Ablation(name));
        Sequences.Rows rows = rig.Rows(901, seed: 1);
        PageTable table = rig.Filled(rows, 901);

        rig.Settle(table);

        int[][] expected = rig.Expected(rows, 901);
        for (int head = 0; head < rig.HeadCount; head++)
        {
            Assert.Equal(expected[head], rig.Positions(table, head));
        }
        Assert.True(table.Eviction.Slots > 0);
        rig.AssertContent(table, rows);
        rig.Cache.CheckIntegrity();
    }

    // K2, K4 and the formula of bytes.
    [Theory]
    [InlineData("f16+evict2", 700)]
    [InlineData("f16+evict4", 901)]
    [InlineData("int8+evict3", 1000)]
    [InlineData("k8v4+evict8", 1200)]
    public void Freed_bytes_are_those_of_the_freed_pages_and_what_stays_is_the_formula(string rung, int tokens)
    {
        using var rig = new EvictionRig(rung);
        PageTable table = rig.Filled(rig.Rows(tokens, seed: 2), tokens);
        rig.Sweep(table);
        long used = rig.Cache.UsedBytes;
        long bytes = table.Bytes;
        int columns = Squeezer.LimitColumn(tokens);

        rig.Evict(table);

        long units = Enumerable.Range(0, rig.HeadCount).Sum(head => (long)table.IndexOf(head, columns) - 1);
        long stride = rig.Cache.Interior.Arena.Classes[rig.Cache.Rungs[1].SizeClass].StrideBytes;
        Assert.Equal(Evictor.KeptUnits(columns, rig.HeadCount, rig.KeepOneIn), units);
        Assert.Equal(columns, table.EvictedColumns);
        long freed = (((columns - 1L) * rig.HeadCount) - units) * stride;
        Assert.InRange(bytes - table.Bytes, freed, freed + 16384);
        Assert.Equal(bytes - table.Bytes, used - rig.Cache.UsedBytes);
        Assert.Equal(0, rig.Cache.Evictor.JobBytes);
        for (int head = 0; head < rig.HeadCount; head++)
        {
            for (int index = 1; index < table.IndexOf(head, columns); index++)
            {
                Assert.Equal(KvShape.PageTokens, rig.Slots().Count(table, table.Unit(head, index)));
            }
        }
        rig.Cache.CheckIntegrity();
    }

    // K6: the rows that were evicted might as well be masked.
    [Theory]
    [InlineData("f16+evict4", 2e-5)]
    [InlineData("int8+evict4", 2e-2)]
    public void Attention_after_eviction_is_masked_attention_over_the_original(string rung, double tolerance)
    {
        using var rig = new EvictionRig(rung);
        Sequences.Rows rows = rig.Rows(960, seed: 3);
        PageTable table = rig.Filled(rows, 930);
        rig.Settle(table);
        Assert.True(rig.Extend(table, rows, 960));

        for (int layer = 0; layer < rig.Cache.Shape.LayerCount; layer++)
        {
            float[] outputs = new Step(rig.Sequences).Add(table, rows, 955, 5).Run(layer: layer);
            foreach (int queryHead in Enumerable.Range(0, 4))
            {
                int[] live = rig.Positions(table, (layer * 2) + (queryHead / 2));
                for (int row = 0; row < 5; row++)
                {
                    double[] expected = Masked(rig, rows, live, (955 + row, queryHead));
                    for (int c = 0; c < 16; c++)
                    {
                        Assert.InRange(outputs[(((row * 4) + queryHead) * 16) + c] - expected[c], -tolerance, tolerance);
                    }
                }
            }
        }
    }

    // K10: what is settled stays, and so does a table that may keep everything.
    [Fact]
    public void A_settled_table_and_one_on_a_rung_that_keeps_all_are_left_alone()
    {
        using var rig = new EvictionRig();
        Sequences.Rows rows = rig.Rows(901, seed: 4);
        PageTable table = rig.Filled(rows, 901);
        rig.Settle(table);
        int[] before = rig.Positions(table, 0);
        PageTable lossless = rig.Cache.CreateTable();
        Assert.True(rig.Extend(lossless, rows, 901));
        long bytes = lossless.Bytes;

        Assert.Equal(0, rig.Settle(table));
        Assert.Equal(0, rig.Settle(lossless));

        Assert.Equal(before, rig.Positions(table, 0));
        Assert.Equal(bytes, lossless.Bytes);
        Assert.Empty(lossless.Rings);
    }

    [Fact]
    public void Eviction_goes_on_as_the_sequence_grows()
    {
        using var rig = new EvictionRig("f16+evict2");
        Sequences.Rows rows = rig.Rows(3000, seed: 5);
        PageTable table = rig.Filled(rows, 400);
        int jobs = 0;
        for (int tokens = 400; tokens < 3000; tokens += 50)
        {
            Assert.True(rig.Extend(table, rows, tokens));
            jobs += rig.Settle(table) > 0 ? 1 : 0;
            int columns = table.Sweep.Done;
            long units = Enumerable.Range(0, rig.HeadCount).Sum(head => (long)table.IndexOf(head, columns) - 1);
            Assert.InRange(units, 0, Evictor.KeptUnits(columns, rig.HeadCount, 2) + rig.HeadCount - 1);
            Assert.InRange(table.Bytes, 0, rig.Cache.CommitmentBytes(table.ReservedTokens, 1, 0));
        }

        Assert.True(jobs > 5);
        rig.AssertContent(table, rows);
        rig.Cache.CheckIntegrity();
    }

    [Fact]
    public void It_waits_for_queries_but_recency_needs_none()
    {
        foreach (EvictionMetric metric in new[] { EvictionMetric.SquaredAttention, EvictionMetric.Recency })
        {
            using var rig = new EvictionRig(options: new EvictionOptions { Metric = metric });
            Sequences.Rows rows = rig.Rows(920, seed: 6);
            PageTable table = rig.Cache.CreateTable();
            Squeezer.SetRung(table, 1);
            Assert.True(rig.Extend(table, rows, 900));
            rig.Sweep(table);
            bool observes = metric != EvictionMetric.Recency;

            Assert.Equal(observes ? EvictionOutcome.Waits : EvictionOutcome.Worked, rig.Cache.Evictor.Step(table).Outcome);
            Assert.True(rig.Extend(table, rows, 907));
            Assert.Equal(observes ? EvictionOutcome.Waits : EvictionOutcome.Worked, rig.Cache.Evictor.Step(table).Outcome);
            Assert.Equal(observes ? rig.Cache.Shape.LayerCount : 0, table.Rings.Length);
            Assert.True(rig.Extend(table, rows, 908));
            Assert.True(rig.Evict(table) > 0);
            Assert.True(table.EvictedColumns > 0);
        }
    }

    // K16: the units of another table stay what they are, bit by bit.
    [Fact]
    public void Units_shared_with_another_table_are_copied_before_they_change()
    {
        using var rig = new EvictionRig();
        Sequences.Rows rows = rig.Rows(901, seed: 7);
        PageTable table = rig.Filled(rows, 901);
        rig.Sweep(table);
        Assert.True(rig.Cache.TryFork(table, out PageTable fork));
        long[] before = Checksums(rig, fork);

        rig.Evict(table);

        Assert.True(table.EvictedColumns > 0);
        Assert.Equal(0, fork.EvictedColumns);
        Assert.Equal(before, Checksums(rig, fork));
        rig.AssertContent(fork, rows);
        rig.AssertContent(table, rows);
        rig.Cache.CheckIntegrity();
        Assert.True(rig.Cache.TryFork(table, out PageTable second));
        rig.Cache.Release(table);
        rig.AssertContent(second, rows);
        rig.Cache.CheckIntegrity();
    }

    [Fact]
    public void Prefix_columns_stay_adoptable_and_hold_every_slot()
    {
        using var rig = new EvictionRig();
        Sequences.Rows rows = rig.Rows(901, seed: 8);
        int[] tokens = Caches.Tokens(901, seed: 8);
        PageTable table = rig.Filled(rows, 901);
        rig.Cache.Publish(table, Caches.Tenant, tokens);
        rig.Settle(table);
        rig.Cache.Publish(table, Caches.Tenant, tokens);

        PageTable other = rig.Cache.CreateTable();
        Assert.Equal(896, rig.Cache.Adopt(other, Caches.Tenant, tokens, deepestRung: 0));

        Assert.True(rig.Extend(other, rows, 901));
        rig.AssertContent(other, rows);
        rig.AssertContent(table, rows);
        rig.Cache.CheckIntegrity();
    }

    // At 240 channels a page with offsets takes the room of one without, so nothing is transcoded and units stay shared.
    [Fact]
    public void Prefix_columns_that_need_no_transcoding_are_copied_and_the_table_is_not_exact_any_more()
    {
        using var rig = new EvictionRig(shape: new KvShape(1, 2, 1, 240));
        Assert.Equal(rig.Cache.Rungs[0].SizeClass, rig.Cache.Rungs[1].SizeClass);
        Sequences.Rows rows = rig.Rows(901, seed: 19);
        int[] tokens = Caches.Tokens(901, seed: 19);
        PageTable table = rig.Filled(rows, 901);
        rig.Cache.Publish(table, Caches.Tenant, tokens);
        Assert.Equal(901, table.ExactTokens);

        rig.Settle(table);

        Assert.True(table.EvictedColumns > 0);
        Assert.Equal(KvShape.PageTokens, table.ExactTokens);
        Assert.Equal(1, table.ReachedRung);
        PageTable other = rig.Cache.CreateTable();
        Assert.Equal(896, rig.Cache.Adopt(other, Caches.Tenant, tokens, deepestRung: 0));
        Assert.True(rig.Extend(other, rows, 901));
        rig.AssertContent(other, rows);
        rig.AssertContent(table, rows);
        rig.Cache.CheckIntegrity();
    }

    [Fact]
    public void A_page_that_takes_over_an_infinity_is_marked()
    {
        using var rig = new EvictionRig(options: new EvictionOptions { Metric = EvictionMetric.Recency });
        Sequences.Rows rows = rig.Rows(901, seed: 20);
        rows.Values[((Squeezer.LimitColumn(901) * KvShape.PageTokens) - 5) * rig.Sequences.KeyWidth] = float.PositiveInfinity;
        PageTable table = rig.Filled(rows, 901);

        rig.Settle(table);

        rig.AssertContent(table, rows);
        Assert.Equal(0, table.FirstNonFiniteLayer());
    }

    [Fact]
    public void A_cut_behind_the_evicted_part_keeps_it_and_a_cut_into_it_empties_the_table()
    {
        using var rig = new EvictionRig();
        Sequences.Rows rows = rig.Rows(1100, seed: 9);
        PageTable table = rig.Filled(rows, 901);
        rig.Settle(table);
        int evicted = table.EvictedColumns * KvShape.PageTokens;

        Assert.Equal(evicted + 70, rig.Cache.Truncate(table, evicted + 70));
        rig.AssertContent(table, rows);
        Assert.True(rig.Extend(table, rows, 1100));
        rig.Settle(table);
        rig.AssertContent(table, rows);
        Assert.Equal(0, rig.Cache.Truncate(table, evicted - 1));
        Assert.Equal(0, table.Bytes);
        rig.Refill(table, rows, 901);
        rig.Settle(table);
        Assert.Equal(evicted, table.EvictedColumns * KvShape.PageTokens);
        rig.AssertContent(table, rows);
        rig.Cache.CheckIntegrity();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void A_job_may_end_after_any_slice_by_release_cut_or_cancelling(int how)
    {
        using var rig = new EvictionRig();
        Sequences.Rows rows = rig.Rows(901, seed: 10);
        long empty = rig.Cache.UsedBytes;
        int slices = rig.Settle(rig.Filled(rows, 901));
        rig.Cache.CheckIntegrity();
        for (int stop = 1; stop < slices; stop++)
        {
            using var other = new EvictionRig();
            PageTable table = other.Filled(rows, 901);
            other.Sweep(table);
            for (int slice = 0; slice < stop; slice++)
            {
                other.Cache.Evictor.Step(table);
            }
            switch (how)
            {
                case 0:
                    other.Cache.Release(table);
                    Assert.Equal(empty, other.Cache.UsedBytes);
                    break;
                case 1:
                    other.Cache.Truncate(table, 300);
                    other.Cache.CheckIntegrity();
                    Assert.Equal(0, other.Cache.Evictor.JobBytes);
                    other.Refill(table, rows, 901);
                    other.Settle(table);
                    break;
                default:
                    other.Cache.Evictor.Cancel();
                    other.AssertContent(table, rows);
                    other.Evict(table);
                    break;
            }
            other.Cache.CheckIntegrity();
            if (how != 0)
            {
                other.AssertContent(table, rows);
                Assert.Equal(Evictor.KeptUnits(12, 4, 4), Enumerable.Range(0, 4).Sum(head => table.IndexOf(head, 12) - 1));
            }
        }
    }

    [Fact]
    public void The_sequence_may_grow_and_be_cut_behind_the_region_between_slices()
    {
        using var rig = new EvictionRig();
        Sequences.Rows rows = rig.Rows(1400, seed: 11);
        PageTable table = rig.Filled(rows, 901);
        rig.Sweep(table);
        var random = new Random(12);
        int tokens = 901;
        while (table.EvictedColumns == 0 || rig.Cache.Evictor.Current is not null)
        {
            tokens = Math.Min(1400, tokens + random.Next(1, 9));
            Assert.True(rig.Extend(table, rows, tokens));
            if (random.Next(4) == 0)
            {
                Assert.Equal(tokens - 3, rig.Cache.Truncate(table, tokens - 3));
                tokens -= 3;
            }
            rig.Cache.StepTowardsRung(table);
            rig.Cache.CheckIntegrity();
            Assert.True(tokens < 1400);
        }

        rig.AssertContent(table, rows);
    }

    [Fact]
    public void A_head_that_is_half_read_when_its_table_is_cut_is_read_again()
    {
        using var rig = new EvictionRig();
        Sequences.Rows rows = rig.Rows(3000, seed: 16);
        PageTable table = rig.Filled(rows, 3000);
        rig.Sweep(table);
        Assert.Equal(EvictionOutcome.Worked, rig.Cache.Evictor.Step(table).Outcome);
        Assert.Equal(EvictionOutcome.Worked, rig.Cache.Evictor.Step(table).Outcome);

        Assert.Equal(2944, rig.Cache.Truncate(table, 2944));
        Assert.True(rig.Extend(table, rows, 2960));
        rig.Evict(table);

        Assert.Equal(Squeezer.LimitColumn(3000), table.EvictedColumns);
        rig.AssertContent(table, rows);
        rig.Cache.CheckIntegrity();
    }

    [Fact]
    public void A_sweep_that_is_under_way_in_a_compacted_list_passes_no_unit_over()
    {
        using var rig = new EvictionRig("int8+evict4");
        Sequences.Rows rows = rig.Rows(1600, seed: 17);
        PageTable table = rig.Filled(rows, 901);
        rig.Sweep(table);
        for (int slice = 0; slice < rig.HeadCount + 2; slice++)
        {
            Assert.Equal(EvictionOutcome.Worked, rig.Cache.Evictor.Step(table).Outcome);
        }
        Assert.True(rig.Extend(table, rows, 1600));
        Assert.Equal(SqueezeOutcome.Worked, rig.Cache.Squeezer.Step(table).Outcome);
        Assert.Equal(0, table.EvictedColumns);

        rig.Evict(table);
        rig.Sweep(table);

        for (int head = 0; head < rig.HeadCount; head++)
        {
            for (int index = 1; index < table.IndexOf(head, Squeezer.LimitColumn(1600)); index++)
            {
                Assert.Equal(rig.Cache.Rungs[1].SizeClass, rig.Cache.Interior.Units.Entry(table.Unit(head, index)).SizeClass);
            }
        }
        rig.Cache.CheckIntegrity();
    }

    [Fact]
    public void Neighbours_of_an_attended_slot_stay_also_across_the_border_of_the_region()
    {
        using var rig = new EvictionRig();
        Sequences.Rows rows = rig.Rows(901, seed: 18);
        int border = Squeezer.LimitColumn(901) * KvShape.PageTokens;
        // Every head's first query looks at the first slot behind the region and nowhere else.
        for (int c = 0; c < rig.Sequences.KeyWidth; c++)
        {
            rows.Keys[(border * rig.Sequences.KeyWidth) + c] = 20 * rows.Queries[(900 * rig.Sequences.QueryWidth) + (c / 16 * 32) + (c % 16)];
        }
        PageTable table = rig.Filled(rows, 901);

        rig.Settle(table);

        for (int head = 0; head < rig.HeadCount; head++)
        {
            int[] positions = rig.Positions(table, head);
            Assert.Equal([border - 3, border - 2, border - 1], positions.Where(position => position >= border - 3 && position < border));
        }
    }

    [Fact]
    public void One_table_at_a_time_but_one_that_waits_for_queries_makes_way()
    {
        using var rig = new EvictionRig();
        Sequences.Rows rows = rig.Rows(920, seed: 13);
        PageTable first = rig.Filled(rows, 901);
        PageTable second = rig.Filled(rows, 901);
        rig.Sweep(first);
        rig.Sweep(second);
        Assert.Equal(EvictionOutcome.Worked, rig.Cache.Evictor.Step(first).Outcome);
        Assert.Equal(EvictionOutcome.Waits, rig.Cache.Evictor.Step(second).Outcome);
        Assert.Equal(900, rig.Cache.Truncate(first, 900));
        Assert.Equal(EvictionOutcome.Waits, rig.Cache.Evictor.Step(first).Outcome);

        Assert.True(rig.Evict(second) > 0);

        Assert.True(second.EvictedColumns > 0);
        Assert.Equal(0, first.EvictedColumns);
        rig.Cache.CheckIntegrity();
    }

    // K15.
    [Fact]
    public void The_same_rows_leave_the_same_positions()
    {
        int[][] Run()
        {
            using var rig = new EvictionRig("int8+evict3");
            PageTable table = rig.Filled(rig.Rows(901, seed: 14), 901);
            rig.Settle(table);
            return [.. Enumerable.Range(0, rig.HeadCount).Select(head => rig.Positions(table, head))];
        }

        Assert.Equal(Run(), Run());
    }

    [Fact]
    public void A_head_whose_unit_kept_another_form_is_left_alone()
    {
        using var rig = new EvictionRig("int8+evict4");
        Sequences.Rows rows = rig.Rows(901, seed: 15);
        rows.Keys[200 * rig.Sequences.KeyWidth] = float.PositiveInfinity;
        PageTable table = rig.Filled(rows, 901);

        rig.Settle(table);

        Assert.Equal(Enumerable.Range(0, 901), rig.Positions(table, 0));
        Assert.True(rig.Positions(table, 1).Length < 901);
        Assert.Equal(0, rig.Evict(table));
        rig.Cache.CheckIntegrity();
    }

    private static EvictionOptions Ablation(string name) => name switch
    {
        "L1" => new EvictionOptions { Metric = EvictionMetric.Attention },
        "recency" => new EvictionOptions { Metric = EvictionMetric.Recency },
        "uniform" => new EvictionOptions { Allocation = EvictionAllocation.Uniform },
        "pages" => new EvictionOptions { Grain = EvictionGrain.Pages },
        "no pool" => new EvictionOptions { PoolKernel = 1 },
        _ => new EvictionOptions(),
    };

    private static double[] Masked(EvictionRig rig, Sequences.Rows rows, int[] live, (int Position, int Head) query)
    {
        int dim = rig.Cache.Shape.HeadDim;
        int kvHead = query.Head / rig.Cache.Shape.GroupSize;
        int[] seen = [.. live.Where(position => position <= query.Position)];
        float At(float[] values, int width, int position, int channel) => values[(position * width) + channel];
        double[] scores = [.. seen.Select(position => Enumerable.Range(0, dim).Sum(c =>
            (double)At(rows.Queries, rig.Sequences.QueryWidth, query.Position, (query.Head * dim) + c)
            * (float)(Half)At(rows.Keys, rig.Sequences.KeyWidth, position, (kvHead * dim) + c)) / Math.Sqrt(dim))];
        double[] weights = [.. scores.Select(score => Math.Exp(score - scores.Max()))];
        return [.. Enumerable.Range(0, dim).Select(c => seen.Zip(weights, (position, weight) =>
            weight * (float)(Half)At(rows.Values, rig.Sequences.KeyWidth, position, (kvHead * dim) + c)).Sum() / weights.Sum())];
    }

    private static long[] Checksums(EvictionRig rig, PageTable table)
    {
        List<long> sums = [];
        float[] keys = new float[KvShape.PageTokens * 16];
        float[] values = new float[keys.Length];
        for (int head = 0; head < rig.HeadCount; head++)
        {
            for (int index = 0; index < table.UnitCount(head); index++)
            {
                UnitHandle unit = table.Unit(head, index);
                rig.Cache.Pages.Decode(unit, head, keys, values);
                var hash = new HashCode();
                Array.ForEach(keys, key => hash.Add(key));
                Array.ForEach(values, value => hash.Add(value));
                sums.Add(((long)unit.Index << 32) | (uint)hash.ToHashCode());
            }
        }
        return [.. sums];
    }
}
