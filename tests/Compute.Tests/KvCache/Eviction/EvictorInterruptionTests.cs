using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Eviction;
using Concertina.Compute.KvCache.Transcoding;
using Concertina.Compute.Tests.Attention;

namespace Concertina.Compute.Tests.KvCache.Eviction;

/// <summary>Eviction that is interrupted: by cuts, releases, growth, other tables and a sweep under way.</summary>
public sealed class EvictorInterruptionTests
{
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
                other.Cache.Interior.Evictor.Step(table);
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
                    Assert.Equal(0, other.Cache.Interior.Evictor.JobBytes);
                    other.Refill(table, rows, 901);
                    other.Settle(table);
                    break;
                default:
                    other.Cache.Interior.Evictor.Cancel();
                    other.AssertContent(table, rows);
                    other.Evict(table);
                    break;
            }
            other.Cache.CheckIntegrity();
            if (how != 0)
            {
                other.AssertContent(table, rows);
                // A job that ended early may leave less to evict than another begins for: fewer than one unit a head.
                long kept = Evictor.KeptUnits(12, 4, 4);
                Assert.InRange(Enumerable.Range(0, 4).Sum(head => table.IndexOf(head, 12) - 1), kept, how == 1 ? kept : kept + 3);
            }
        }
    }

    [Fact]
    public void The_sequence_may_grow_and_be_cut_behind_the_region_between_slices()
    {
        using var rig = new EvictionRig();
        Sequences.Rows rows = rig.Rows(2400, seed: 11);
        PageTable table = rig.Filled(rows, 901);
        rig.Sweep(table);
        var random = new Random(12);
        int tokens = 901;
        while (table.EvictedColumns == 0 || rig.Cache.Interior.Evictor.Current is not null)
        {
            tokens = Math.Min(2400, tokens + random.Next(1, 9));
            Assert.True(rig.Extend(table, rows, tokens));
            if (random.Next(4) == 0)
            {
                Assert.Equal(tokens - 3, rig.Cache.Truncate(table, tokens - 3));
                tokens -= 3;
            }
            rig.Cache.StepTowardsRung(table);
            rig.Cache.CheckIntegrity();
            Assert.True(tokens < 2400);
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
        Assert.Equal(EvictionOutcome.Worked, rig.Cache.Interior.Evictor.Step(table).Outcome);
        Assert.Equal(EvictionOutcome.Worked, rig.Cache.Interior.Evictor.Step(table).Outcome);

        Assert.Equal(2944, rig.Cache.Truncate(table, 2944));
        Assert.Equal(EvictionOutcome.Waits, rig.Cache.Interior.Evictor.Step(table).Outcome);
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
            Assert.Equal(EvictionOutcome.Worked, rig.Cache.Interior.Evictor.Step(table).Outcome);
        }
        Assert.True(rig.Extend(table, rows, 1600));
        Assert.Equal(SqueezeOutcome.Worked, rig.Cache.Interior.Squeezer.Step(table).Outcome);
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
    public void A_job_ends_when_the_rung_was_changed_and_changed_back()
    {
        using var undisturbed = new EvictionRig();
        int pieces = undisturbed.Settle(undisturbed.Filled(undisturbed.Rows(901, seed: 14), 901));
        using var rig = new EvictionRig();
        PageTable table = rig.Filled(rig.Rows(901, seed: 14), 901);
        rig.Sweep(table);
        for (int piece = 0; piece < pieces / 2; piece++)
        {
            Assert.Equal(EvictionOutcome.Worked, rig.Cache.Interior.Evictor.Step(table).Outcome);
        }
        Assert.Equal(0, table.Eviction.Slots); // heads were read, none was compacted

        Squeezer.SetRung(table, 0);
        Squeezer.SetRung(table, 1);
        rig.Sweep(table);

        Assert.Equal(pieces, rig.Evict(table)); // what was read before may be of other units, so all is read again
        rig.Cache.CheckIntegrity();
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
        Assert.Equal(EvictionOutcome.Worked, rig.Cache.Interior.Evictor.Step(first).Outcome);
        Assert.Equal(EvictionOutcome.Behind, rig.Cache.Interior.Evictor.Step(second).Outcome);
        Assert.Equal(SqueezeOutcome.Behind, rig.Cache.StepTowardsRung(second).Outcome);
        Assert.Equal(900, rig.Cache.Truncate(first, 900));
        Assert.Equal(EvictionOutcome.Waits, rig.Cache.Interior.Evictor.Step(first).Outcome);

        Assert.True(rig.Evict(second) > 0);

        Assert.True(second.EvictedColumns > 0);
        Assert.Equal(0, first.EvictedColumns);
        rig.Cache.CheckIntegrity();
    }

    [Theory]
    [InlineData("f16+evict4")]
    [InlineData("int4+evict4")]
    public void No_step_is_charged_more_than_a_piece_and_the_table_is_whole_after_each(string rung)
    {
        using var rig = new EvictionRig(rung);
        Sequences.Rows rows = rig.Rows(3000, seed: 21);
        PageTable table = rig.Filled(rows, 3000);
        rig.Sweep(table);
        Assert.True(rig.Cache.TryFork(table, out PageTable fork)); // so that units are copied before they are written to
        long dearest = rig.Cache.Interior.Evictor.DearestCharge(rig.Cache.Rungs[1]);
        int pieces = 0;
        int inside = 0;
        for (EvictionStep step = rig.Cache.Interior.Evictor.Step(table);
            step.Outcome == EvictionOutcome.Worked;
            step = rig.Cache.Interior.Evictor.Step(table), pieces++)
        {
            Assert.InRange(step.Charge, 0, dearest);
            inside += Enumerable.Range(0, rig.HeadCount).Any(head => HasOpenPage(rig, table, head)) ? 1 : 0;
            if (rung == "f16+evict4")
            {
                rig.AssertContent(table, rows);
            }
            rig.Cache.CheckIntegrity();
        }

        Assert.True(pieces > 50, $"{pieces} pieces");
        Assert.True(inside > 0, "no step ended inside a head");
        Assert.Equal(
            Evictor.KeptUnits(Squeezer.LimitColumn(3000), rig.HeadCount, 4),
            Enumerable.Range(0, rig.HeadCount).Sum(head => table.IndexOf(head, table.EvictedColumns) - 1));
        rig.Cache.Release(fork);
    }

    private static bool HasOpenPage(EvictionRig rig, PageTable table, int head)
    {
        for (int index = 1; table.EvictedColumns > 0 && index < table.IndexOf(head, table.EvictedColumns); index++)
        {
            if (rig.Slots().Count(table, table.Unit(head, index)) < KvShape.PageTokens)
            {
                return true;
            }
        }
        return false;
    }
}
