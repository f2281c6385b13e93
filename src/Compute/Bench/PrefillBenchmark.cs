using Concertina.Compute.KvCache;
using Concertina.Compute.Model;

namespace Concertina.Compute.Bench;

/// <summary>Measures prefill: prompts that arrive together and are taken in chunks, one after the other.</summary>
public static class PrefillBenchmark
{
    /// <summary>Runs it.</summary>
    /// <param name="source">The model.</param>
    /// <param name="settings">What to measure.</param>
    /// <param name="time">Clock.</param>
    /// <exception cref="InvalidOperationException">The sequences do not fit the memory of the machine.</exception>
    public static BenchmarkResult Run(ModelSource source, BenchmarkSettings settings, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(settings);
        using BenchmarkRig rig = new(source, settings with { Tokens = settings.Tokens + settings.ChunkTokens }, time);
        WarmUp(rig, settings);
        TimeSpan total = TimeSpan.Zero;
        List<TimeSpan> firstTokens = [];
        foreach (PageTable table in rig.Tables)
        {
            int end = table.TokenCount + settings.Tokens;
            while (table.TokenCount < end)
            {
                int count = Math.Min(settings.ChunkTokens, end - table.TokenCount);
                rig.Add(table, count, logitRows: table.TokenCount + count == end ? 1 : 0);
                total += rig.Step();
            }
            firstTokens.Add(total);
        }
        return new()
        {
            TokensPerSecond = (double)settings.Batch * settings.Tokens / total.TotalSeconds,
            TokensPerCpuSecond = (double)settings.Batch * settings.Tokens / rig.CpuTime.TotalSeconds,
            TtftP50Ms = BenchmarkRig.Percentile(firstTokens, 0.50),
            TtftP99Ms = BenchmarkRig.Percentile(firstTokens, 0.99),
            KvBytes = rig.Cache.UsedBytes,
            ResidentBytes = Environment.WorkingSet,
            WeightBytes = rig.Runner.WeightBytes,
            ScratchBytes = rig.Runner.ScratchBytes,
            Threads = rig.Threads,
            DeterminismClass = rig.Runner.DeterminismClass,
        };
    }

    private static void WarmUp(BenchmarkRig rig, BenchmarkSettings settings)
    {
        PageTable warm = rig.Cache.CreateTable();
        rig.Add(warm, Math.Min(settings.ChunkTokens, settings.Tokens), logitRows: 1);
        rig.Step();
        rig.Cache.Release(warm);
        rig.ResetCpuTime();
    }
}
