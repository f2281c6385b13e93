using System.Text.Json;
using Concertina.Compute.KvCache.Eviction;
using Concertina.Compute.KvCache.Eviction.Planning;

namespace Concertina.Compute.Tests.KvCache.Eviction;

/// <summary>Ranks, schedule and compaction: golden vectors and laws.</summary>
public sealed class EvictionScheduleTests
{
    private static readonly ScheduleRules Rules = new(4, 6, 2, 63);

    [Theory]
    [InlineData("schedule_b4")]
    [InlineData("schedule_b16")]
    [InlineData("ties_b4")]
    public void The_schedule_is_the_golden_one(string name)
    {
        JsonElement file = EvictionVectors.Load(name);
        ScheduleRules rules = ScheduleRules.Read(file);
        ScheduleHead[] heads = ScheduleHead.Read(file.At("inputs", "heads"));
        foreach (JsonElement result in file.At("expected", "results").EnumerateArray())
        {
            AssertResult(heads, rules, result);
        }
    }

    [Fact]
    public void The_schedule_of_the_attended_cache_is_the_golden_one()
    {
        JsonElement file = EvictionVectors.Load("attend_after_eviction");
        AssertResult(ScheduleHead.Read(file.At("inputs", "heads")), ScheduleRules.Read(file), file.At("expected", "result"));
    }

    [Fact]
    public void The_articles_block_goes_in_the_articles_order()
    {
        JsonElement file = EvictionVectors.Load("seed_article");
        ScheduleHead[] heads = [new([.. Enumerable.Range(0, 12)], file.At("inputs", "m").Floats())];
        AssertResult(heads, ScheduleRules.Read(file), file.At("expected", "result"));
        var pages = new ScheduleRun(heads, ScheduleRules.Read(file), EvictionGrain.Pages);
        int block = file.At("expected", "block_sum_block").GetInt32();

        Assert.Equal(Enumerable.Range(block * 4, 4), pages.Evicted(0, 1));
    }

    // K5: the same positions, whatever the order of slots.
    [Fact]
    public void Two_steps_keep_the_positions_that_one_step_keeps()
    {
        JsonElement file = EvictionVectors.Load("two_steps_b4");
        ScheduleRules rules = ScheduleRules.Read(file);
        ScheduleHead[] heads = ScheduleHead.Read(file.At("inputs", "heads"));
        AssertResult(heads, rules, file.At("expected", "first"));
        ScheduleHead[] left = After(heads, rules, 4);
        int[][] expected = [.. file.At("expected", "surviving_positions").EnumerateArray().Select(set => set.Integers())];

        AssertPositions(expected, left, rules, 5);
        AssertPositions(expected, heads, rules, 9);
    }

    // K10: without new metrics, steps add up; nothing more to free frees nothing.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Any_two_steps_add_up_and_a_step_of_nothing_does_nothing(int seed)
    {
        for (int round = 0; round < 20; round++)
        {
            ScheduleHead[] heads = ScheduleHead.Random(5, (seed * 100) + round);
            int[][] once = Positions(heads, Rules, 9);
            ScheduleHead[] left = After(heads, Rules, 4);

            Assert.Equal(once, Positions(left, Rules, new ScheduleRun(heads, Rules).Take(9).Freed - new ScheduleRun(heads, Rules).Take(4).Freed));
            (long freed, int[] blocks) = new ScheduleRun(left, Rules).Take(0);
            Assert.Equal(0, freed);
            Assert.All(blocks, count => Assert.Equal(0, count));
            Assert.All(Enumerable.Range(0, 5), head => Assert.Equal(left[head].Metric.Length, new ScheduleRun(left, Rules).Compact(head, 0).FirstMoved));
        }
    }

    // K2, K3, K4 and K5 of the list of invariants.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Freed_pages_are_the_scheduled_ones_and_survivors_the_rest_in_their_order(bool ties)
    {
        for (int seed = 0; seed < 60; seed++)
        {
            ScheduleHead[] heads = ScheduleHead.Random(6, seed, ties);
            var run = new ScheduleRun(heads, Rules);
            (long freed, int[] blocks) = run.Take(seed);
            long pages = 0;
            for (int head = 0; head < heads.Length; head++)
            {
                (int[] survivors, int firstMoved, int freedPages) = run.Compact(head, blocks[head]);
                int[] evicted = run.Evicted(head, blocks[head]);
                pages += freedPages;
                Assert.Equal(blocks[head], freedPages);
                Assert.Equal(Enumerable.Range(0, heads[head].Metric.Length).Except(evicted), survivors);
                Assert.True(blocks[head] == 0 || survivors.Length % Rules.BlockTokens == 0);
                Assert.Equal(Enumerable.Range(0, firstMoved), survivors[..firstMoved]);
                Assert.All(Enumerable.Range(firstMoved, survivors.Length - firstMoved), to => Assert.True(survivors[to] > to));
                float dearest = evicted.Length == 0 ? 0 : evicted.Max(slot => heads[head].Metric[slot]);
                float[] metric = heads[head].Protected(Rules);
                Assert.All(survivors, slot => Assert.True(metric[slot] >= dearest));
                Assert.All(evicted, slot => Assert.InRange(heads[head].Positions[slot], Rules.Sinks, Rules.LastPosition - Rules.Window));
            }
            Assert.Equal(freed, pages);
        }
    }

    // K8.
    [Fact]
    public void The_chosen_blocks_have_the_smallest_possible_dearest_slot()
    {
        for (int seed = 0; seed < 300; seed++)
        {
            ScheduleHead[] heads = ScheduleHead.Random(3, seed, mostSlots: 17);
            var run = new ScheduleRun(heads, Rules);
            int wanted = 1 + (seed % 6);
            (long freed, int[] blocks) = run.Take(wanted);
            float dearest = float.NegativeInfinity;
            for (int head = 0; head < heads.Length; head++)
            {
                foreach (int slot in run.Evicted(head, blocks[head]))
                {
                    dearest = Math.Max(dearest, heads[head].Metric[slot]);
                }
            }

            Assert.Equal(SmallestDearest(heads, (int)freed), dearest);
        }
    }

    // K9 of the list: what is taken for fewer blocks is taken for more.
    [Fact]
    public void More_blocks_take_what_fewer_blocks_took()
    {
        var run = new ScheduleRun(ScheduleHead.Random(6, 7, ties: true), Rules);
        int[] before = new int[6];
        for (int blocks = 1; run.Take(blocks).Freed == blocks; blocks++)
        {
            int[] now = run.Take(blocks).Blocks;
            Assert.Equal(1, now.Zip(before, (a, b) => a - b).Max());
            Assert.All(now.Zip(before), pair => Assert.True(pair.First >= pair.Second));
            before = now;
        }
    }

    // K9 of the corrections.
    [Fact]
    public void An_empty_head_has_no_candidate()
    {
        var run = new ScheduleRun([new([], []), new([5, 6, 7, 8], [1, 2, 3, 4])], Rules);

        Assert.Equal(1, run.Take(10).Freed);
        Assert.Equal([0, 1], run.Take(10).Blocks);
        Assert.Equal(0, run.Compact(0, 0).FreedPages);
    }

    [Fact]
    public void Metrics_that_are_not_numbers_and_negative_zero_do_not_upset_the_order()
    {
        var run = new ScheduleRun([new([10, 11, 12, 13, 14, 15, 16, 17], [float.NaN, -0f, 0f, 3, float.NaN, 2, 1, 5])], Rules);

        Assert.Equal(1, run.Take(10).Freed);
        Assert.Equal([1, 2, 5, 6], run.Evicted(0, 1));
    }

    [Fact]
    public void Uniform_allocation_takes_the_same_from_every_head()
    {
        ScheduleHead[] heads = [.. Enumerable.Range(0, 4).Select(head =>
            new ScheduleHead([.. Enumerable.Range(2, 40)], [.. Enumerable.Range(0, 40).Select(slot => head + (slot / 100f))]))];
        var run = new ScheduleRun(heads, Rules);

        Assert.Equal([2, 2, 3, 3], run.Take(10, EvictionAllocation.Uniform).Blocks);
        Assert.Equal([10, 0, 0, 0], run.Take(10).Blocks);
        Assert.Equal(40, run.Take(1000, EvictionAllocation.Uniform).Freed);
    }

    [Fact]
    public void Whole_pages_go_by_their_sum_and_never_with_a_protected_slot()
    {
        float[] metric = [9, 0, 0, 0, 1, 1, 1, 1, 3, 3, 3, 3, 0, 0, 0, 0, 2, 2];
        int[] positions = [.. Enumerable.Range(2, 12), 60, 61, .. Enumerable.Range(14, 4)];
        var run = new ScheduleRun([new(positions, metric)], Rules, EvictionGrain.Pages);

        Assert.Equal(4, run.Take(99).Freed);
        Assert.Equal([4, 5, 6, 7, 16, 17], run.Evicted(0, 2));
        Assert.Equal(2, run.Compact(0, 2).FreedPages);
        Assert.Equal([0, 1, 2, 3, 4, 5, 6, 7, 16, 17], run.Evicted(0, 3));
    }

    [Fact]
    public void The_budget_is_the_golden_one_in_blocks()
    {
        foreach (JsonElement row in EvictionVectors.Load("budget").At("expected", "rows").EnumerateArray())
        {
            JsonElement[] cells = [.. row.EnumerateArray()];
            int[] n = [.. cells.Select((cell, i) => i == 8 ? 0 : cell.GetInt32())];
            var budget = new EvictionBudget(n[0], n[1] * n[2], n[4]);

            Assert.Equal(n[9], budget.BySize(n[7], n[5]));
            Assert.Equal(n[11], budget.ByRate(cells[8].GetSingle(), n[3], n[5]));
        }
    }

    // K1 of the list, and the example of correction K6.
    [Fact]
    public void Rate_one_frees_no_full_page_and_one_in_four_leaves_a_quarter()
    {
        var budget = new EvictionBudget(64, 256, 0);

        Assert.Equal(0, budget.ByRate(1, 1024, 16 * 256));
        Assert.Equal(0, budget.ByOneIn(1, 1024, 16 * 256));
        Assert.Equal(1000, (16 * 256) - budget.ByRate(0.25, 1000, 16 * 256));
        Assert.Equal(1000, (16 * 256) - budget.ByOneIn(4, 1000, 16 * 256));
        Assert.Equal(0, new EvictionBudget(64, 256, 2000).ByOneIn(4, 1000, 16 * 256));
    }

    private static void AssertResult(ScheduleHead[] heads, ScheduleRules rules, JsonElement result)
    {
        var run = new ScheduleRun(heads, rules);
        (long freed, int[] blocks) = run.Take(result.At("requested").GetInt32());
        Assert.Equal(result.At("freed").GetInt32(), freed);
        int kvHeads = Math.Max(1, heads.Length / 3);
        int[] before = new int[heads.Length];
        foreach ((int index, JsonElement candidate) in result.At("candidates").EnumerateArray().Index())
        {
            int[] now = run.Take(index + 1).Blocks;
            int[] cell = candidate.IntegerList();
            int head = heads.Length == 6 ? (cell[0] * kvHeads) + cell[1] : cell[1];
            Assert.Equal(before[head] + 1, now[head]);
            Assert.Equal(cell[2], now[head]);
            before = now;
        }
        foreach ((int head, JsonElement expected) in result.At("heads").EnumerateArray().Index())
        {
            int[] evicted = run.Evicted(head, blocks[head]);
            Assert.Equal(expected.At("blocks").GetInt32(), blocks[head]);
            Assert.Equal(expected.At("evicted").Integers(), evicted);
            (List<(int From, int To)> moves, int[] table) = TwoPointers.Compact(
                heads[head].Metric.Length, rules.BlockTokens, blocks[head], evicted);
            Assert.Equal(expected.At("moves").Integers(), moves.SelectMany(move => new[] { move.From, move.To }));
            Assert.Equal(expected.At("table").Integers(), table);
            (int[] survivors, _, int freedPages) = run.Compact(head, blocks[head]);
            Assert.Equal(table.Order(), survivors);
            Assert.Equal(expected.At("freed_logical_blocks").Integers().Length, freedPages);
        }
    }

    private static ScheduleHead[] After(ScheduleHead[] heads, ScheduleRules rules, long blocks)
    {
        var run = new ScheduleRun(heads, rules);
        int[] taken = run.Take(blocks).Blocks;
        return [.. heads.Select((head, i) =>
        {
            int[] survivors = run.Compact(i, taken[i]).Survivors;
            return new ScheduleHead([.. survivors.Select(slot => head.Positions[slot])], [.. survivors.Select(slot => head.Metric[slot])]);
        })];
    }

    private static int[][] Positions(ScheduleHead[] heads, ScheduleRules rules, long blocks) =>
        [.. After(heads, rules, blocks).Select(head => head.Positions.Order().ToArray())];

    private static void AssertPositions(int[][] expected, ScheduleHead[] heads, ScheduleRules rules, long blocks) =>
        Assert.Equal(expected, Positions(heads, rules, blocks));

    private static float SmallestDearest(ScheduleHead[] heads, int blocks)
    {
        Dictionary<int, float> best = new() { [0] = float.NegativeInfinity };
        foreach (ScheduleHead head in heads)
        {
            float[] sorted = [.. head.Protected(Rules).Order()];
            int count = (sorted.Length + Rules.BlockTokens - 1) / Rules.BlockTokens;
            int hanging = sorted.Length - (Rules.BlockTokens * (count - 1));
            Dictionary<int, float> next = [];
            foreach ((int used, float dearest) in best)
            {
                for (int taken = 0; taken <= count; taken++)
                {
                    float cost = taken == 0 ? float.NegativeInfinity : sorted[hanging + (Rules.BlockTokens * (taken - 1)) - 1];
                    next[used + taken] = Math.Min(next.GetValueOrDefault(used + taken, float.PositiveInfinity), Math.Max(dearest, cost));
                }
            }
            best = next;
        }
        return best[blocks];
    }
}
