using Concertina.Compute.KvCache;
using Concertina.Compute.Model;
using Concertina.Compute.Profile;

namespace Concertina.Compute.Bench;

/// <summary>
/// Compares rungs by attention and by whole decode steps. All rungs take turns within every round, another one first each time,
/// so that a machine whose speed drifts slows them alike; what is reported are medians over the rounds, of times and of ratios within a round.
/// </summary>
public static class RungBenchmark
{
    private const int WarmUpRounds = 2;

    /// <summary>Measures one batch of sequences of one depth on every rung.</summary>
    /// <param name="source">The model.</param>
    /// <param name="profile">Its KV profile; null if it has none.</param>
    /// <param name="settings">Batch, depth, threads; <see cref="BenchmarkSettings.Tokens"/> is the number of rounds.</param>
    /// <param name="rungs">Rungs; the first is what the others are compared with.</param>
    /// <param name="time">Clock.</param>
    /// <exception cref="ArgumentException">No rung, or one that is unknown or needs codebooks that are not there.</exception>
    /// <exception cref="InvalidOperationException">The sequences do not fit the memory of the machine.</exception>
    public static IReadOnlyList<RungSpeed> Run(
        ModelSource source, KvProfile? profile, BenchmarkSettings settings, IReadOnlyList<string> rungs, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(rungs);
        ArgumentOutOfRangeException.ThrowIfZero(rungs.Count, nameof(rungs));
        List<Contender> contenders = [];
        try
        {
            foreach (string rung in rungs)
            {
                BenchmarkSettings own = settings with { Rung = rung, ChunkTokens = 1, Tokens = settings.Tokens + WarmUpRounds };
                contenders.Add(Contender.Make(new BenchmarkRig(source, own, time, profile), settings.Tokens));
            }
            for (int round = -WarmUpRounds; round < settings.Tokens; round++)
            {
                int first = (round + WarmUpRounds) % contenders.Count;
                Contender[] inTurn = [.. contenders[first..], .. contenders[..first]];
                Array.ForEach(inTurn, contender => contender.Attend(round));
                Array.ForEach(inTurn, contender => contender.Step(round));
            }
            return [.. contenders.Select((contender, i) => contender.Result(rungs[i], contenders[0], settings))];
        }
        finally
        {
            contenders.ForEach(contender => contender.Dispose());
        }
    }

    private sealed class Contender(BenchmarkRig rig, AttentionTimer attention, int rounds) : IDisposable
    {
        private readonly double[] _attendNs = new double[rounds];
        private readonly double[] _stepMs = new double[rounds];

        /// <summary>Takes a rig over, also when it cannot be timed.</summary>
        public static Contender Make(BenchmarkRig rig, int rounds)
        {
            try
            {
                return new Contender(rig, new AttentionTimer(rig), rounds);
            }
            catch
            {
                rig.Dispose();
                throw;
            }
        }

        public void Attend(int round) => Keep(_attendNs, round, attention.Measure());

        public void Step(int round)
        {
            foreach (PageTable table in rig.Tables)
            {
                rig.Add(table, 1, logitRows: 1);
            }
            Keep(_stepMs, round, rig.Step().TotalMilliseconds);
        }

        public RungSpeed Result(string rung, Contender first, BenchmarkSettings settings) => new()
        {
            Rung = rung,
            Batch = settings.Batch,
            Depth = settings.Depth,
            AttendNs = Median(_attendNs),
            AttendToFirst = Median(_attendNs.Zip(first._attendNs, (own, other) => own / other)),
            StepMs = Median(_stepMs),
            StepToFirst = Median(_stepMs.Zip(first._stepMs, (own, other) => own / other)),
        };

        public void Dispose() => rig.Dispose();

        private static void Keep(double[] times, int round, double value)
        {
            if (round >= 0)
            {
                times[round] = value;
            }
        }

        private static double Median(IEnumerable<double> values)
        {
            double[] sorted = [.. values.Order()];
            return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
        }
    }
}
