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
        Assert.Equal(0, rig.Cache.Interior.Evictor.JobBytes);
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

            Assert.Equal(observes ? EvictionOutcome.Waits : EvictionOutcome.Worked, rig.Cache.Interior.Evictor.Step(table).Outcome);
            Assert.True(rig.Extend(table, rows, 907));
            Assert.Equal(observes ? EvictionOutcome.Waits : EvictionOutcome.Worked, rig.Cache.Interior.Evictor.Step(table).Outcome);
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
                rig.Cache.Pages.Decode(table, head, index, keys, values);
                var hash = new HashCode();
                Array.ForEach(keys, key => hash.Add(key));
                Array.ForEach(values, value => hash.Add(value));
                sums.Add(((long)unit.Index << 32) | (uint)hash.ToHashCode());
            }
        }
        return [.. sums];
    }
}
