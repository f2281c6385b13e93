using System.Runtime.CompilerServices;
using Concertina.Compute.KvCache.Eviction;
using Concertina.Compute.KvCache.Eviction.Planning;

namespace Concertina.Compute.Tests.KvCache.Eviction;

/// <summary>Ranks, schedules and compacts some heads.</summary>
internal sealed unsafe class ScheduleRun
{
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
        for (int head = 0; head < heads.Length; head++)
        {
            ulong[] keys = new ulong[heads[head].Metric.Length];
            float[] metric = heads[head].Protected(rules);
            _schedule.Add(grain == EvictionGrain.Slots
                ? HeadRanks.BySlot(metric, rules.BlockTokens, _goesWith[head], _schedule.Costs, keys)
                : HeadRanks.ByPage(metric, rules.BlockTokens, _goesWith[head], _schedule.Costs, keys));
        }
    }

    public (long Freed, int[] Blocks) Take(long blocks, EvictionAllocation allocation = EvictionAllocation.Global)
    {
        int[] taken = new int[_heads.Length];
        long freed = allocation == EvictionAllocation.Global ? _schedule.Global(blocks, taken) : _schedule.Uniform(blocks, taken);
        return (freed, taken);
    }

    /// <summary>Slots of a head that go with its first blocks, ascending.</summary>
    public int[] Evicted(int head, int blocks) =>
        [.. Enumerable.Range(0, _goesWith[head].Length).Where(slot => _goesWith[head][slot] <= blocks)];

    /// <summary>The engine's compaction: old slot of each slot afterwards, and pages freed.</summary>
    public (int[] Survivors, int FirstMoved, int FreedPages) Compact(int head, int blocks)
    {
        CompactionPlan plan = CompactionPlan.Make(_goesWith[head], blocks, _rules.BlockTokens, new int[_goesWith[head].Length]);
        return (plan.Survivors.ToArray(), plan.FirstMoved, plan.FreedPages);
    }

    public int[] SurvivingPositions(int head, int blocks) =>
        [.. Compact(head, blocks).Survivors.Select(slot => _heads[head].Positions[slot]).Order()];
}
