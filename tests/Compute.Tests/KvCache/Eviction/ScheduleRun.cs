using System.Runtime.CompilerServices;
using Concertina.Compute.KvCache.Eviction;
using Concertina.Compute.KvCache.Eviction.Planning;

namespace Concertina.Compute.Tests.KvCache.Eviction;

/// <summary>Ranks, schedules and compacts some heads.</summary>
internal sealed unsafe class ScheduleRun
{
    private const int ChoicePiece = 3;

    private readonly ScheduleHead[] _heads;
    private readonly ScheduleRules _rules;
    private readonly EvictionSchedule _schedule;
    private readonly float[] _costs;
    private readonly ushort[][] _goesWith;

    public ScheduleRun(ScheduleHead[] heads, ScheduleRules rules, EvictionGrain grain = EvictionGrain.Slots)
    {
        _heads = heads;
        _rules = rules;
        _goesWith = [.. heads.Select(head => new ushort[head.Metric.Length])];
        _schedule = new EvictionSchedule(heads.Length);
        _costs = GC.AllocateArray<float>(1 + heads.Sum(head => HeadRanks.Blocks(head.Metric.Length, rules.BlockTokens)), pinned: true);
        _schedule.Begin((float*)Unsafe.AsPointer(ref _costs[0]), _costs.Length);
        var ranks = new HeadRanks(grain);
        for (int head = 0; head < heads.Length; head++)
        {
            _schedule.Add(Rank(ranks, heads[head].Protected(rules), _goesWith[head], _schedule.Costs));
        }
    }

    public (long Freed, int[] Blocks) Take(long blocks, EvictionAllocation allocation = EvictionAllocation.Global)
    {
        int[] taken = new int[_heads.Length];
        if (allocation == EvictionAllocation.Uniform)
        {
            return (_schedule.Uniform(blocks, taken), taken);
        }
        _schedule.BeginGlobal(blocks, taken);
        long freed = 0;
        for (int more = ChoicePiece; more == ChoicePiece; freed += more)
        {
            more = _schedule.TakeGlobal(ChoicePiece, taken);
        }
        return (freed, taken);
    }

    /// <summary>Slots of a head that go with its first blocks, ascending.</summary>
    public int[] Evicted(int head, int blocks) =>
        [.. Enumerable.Range(0, _goesWith[head].Length).Where(slot => _goesWith[head][slot] <= blocks)];

    /// <summary>A stable compaction: old slot of each slot afterwards, the first that moved, and pages freed.</summary>
    public (int[] Survivors, int FirstMoved, int FreedPages) Compact(int head, int blocks)
    {
        int[] survivors = [.. Enumerable.Range(0, _goesWith[head].Length).Where(slot => _goesWith[head][slot] > blocks)];
        int firstMoved = survivors.TakeWhile((from, to) => from == to).Count();
        int freed = HeadRanks.Blocks(_goesWith[head].Length, _rules.BlockTokens) - HeadRanks.Blocks(survivors.Length, _rules.BlockTokens);
        return (survivors, firstMoved, freed);
    }

    public int[] SurvivingPositions(int head, int blocks) =>
        [.. Compact(head, blocks).Survivors.Select(slot => _heads[head].Positions[slot]).Order()];

    // Piece by piece, as between the steps of the engine; nothing may depend on the size of a piece.
    private int Rank(HeadRanks ranks, float[] metric, ushort[] goesWith, Span<float> costs)
    {
        fixed (float* metricPointer = metric, costPointer = costs)
        {
            fixed (ushort* ranked = goesWith)
            {
                fixed (ulong* keys = new ulong[metric.Length], spare = new ulong[metric.Length])
                {
                    ranks.Begin(new RankSpace
                    {
                        Metric = metricPointer,
                        Slots = metric.Length,
                        Pages = HeadRanks.Blocks(metric.Length, _rules.BlockTokens),
                        PageTokens = _rules.BlockTokens,
                        GoesWith = ranked,
                        Costs = costPointer,
                        Keys = keys,
                        Spare = spare,
                    });
                    while (ranks.IsOpen)
                    {
                        Assert.InRange(ranks.Advance(_rules.BlockTokens + 3), 0, _rules.BlockTokens + 3);
                    }
                }
            }
        }
        return ranks.Freeable;
    }
}
