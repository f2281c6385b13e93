using Concertina.Compute.KvCache;
using Concertina.Compute.Model;

namespace Concertina.Compute.Bench;

/// <summary>Measures decoding: a batch of sequences of some depth, one token each per step.</summary>
public static class DecodeBenchmark
{
    private const int WarmUpSteps = 40;

    /// <summary>Runs it.</summary>
    /// <param name="source">The model.</param>
    /// <param name="settings">What to measure.</param>
    /// <param name="time">Clock.</param>
    /// <exception cref="InvalidOperationException">The sequences do not fit the memory of the machine.</exception>
    public static BenchmarkResult Run(ModelSource source, BenchmarkSettings settings, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(settings);
        using BenchmarkRig rig = new(source, settings with { ChunkTokens = 1 }, time);
        List<TimeSpan> steps = [];
        for (int step = -WarmUpSteps; step < settings.Tokens; step++)
        {
            foreach (PageTable table in rig.Tables)
            {
                rig.Add(table, 1, logitRows: 1);
            }
            TimeSpan elapsed = rig.Step();
            if (step < 0)
            {
                rig.ResetCpuTime();
                continue;
            }
            steps.Add(elapsed);
        }
        return new()
        {
            TokensPerSecond = settings.Batch * steps.Count / steps.Sum(step => step.TotalSeconds),
            TokensPerCpuSecond = settings.Batch * steps.Count / rig.CpuTime.TotalSeconds,
            ItlP50Ms = BenchmarkRig.Percentile(steps, 0.50),
            ItlP99Ms = BenchmarkRig.Percentile(steps, 0.99),
            KvBytes = rig.Cache.UsedBytes,
            ResidentBytes = Environment.WorkingSet,
            WeightBytes = rig.Runner.WeightBytes,
            ScratchBytes = rig.Runner.ScratchBytes,
            Threads = rig.Threads,
            DeterminismClass = rig.Runner.DeterminismClass,
        };
    }
}
