using Concertina.Compute.Allocation;
using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Rungs;
using Concertina.Compute.KvCache.Transcoding;

namespace Concertina.Compute.Evaluation;

/// <summary>
/// Measures the divergence of sequences whose units are on several rungs: every plan's sequence grows beside the lossless one,
/// is squeezed as it grows, and is compared over the end of the text.
/// </summary>
/// <param name="rig">A rig with the rungs of the plans.</param>
/// <param name="comparedTokens">Tokens at the end of a text that are compared.</param>
public sealed class MixedEvaluation(EvaluationRig rig, int comparedTokens)
{
    private readonly int _chunk = rig.Settings.ChunkTokens;

    /// <summary>Compares some plans on one text.</summary>
    /// <param name="tokens">The text.</param>
    /// <param name="plans">The plans; with the lossless one not more than rows in a step.</param>
    /// <param name="cancellation">Cancels between steps.</param>
    /// <returns>One entry per plan.</returns>
    /// <exception cref="InvalidOperationException">The budget is too small.</exception>
    public IReadOnlyList<MixedSample> Run(ReadOnlyMemory<int> tokens, IReadOnlyList<MixedPlan> plans, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(plans);
        PageTable[] tables = [.. plans.Select(_ => 0).Prepend(0).Select(rig.NewTable)];
        DivergenceSamples[] samples = [.. plans.Select(_ => new DivergenceSamples())];
        int chunk = Math.Min(_chunk, rig.MaxRows / tables.Length);
        ArgumentOutOfRangeException.ThrowIfZero(chunk, nameof(plans));
        try
        {
            for (int from = 0; from < tokens.Length; from += chunk)
            {
                cancellation.ThrowIfCancellationRequested();
                int count = Math.Min(chunk, tokens.Length - from);
                bool compares = from >= tokens.Length - comparedTokens;
                rig.Clear();
                for (int i = 0; i < tables.Length; i++)
                {
                    Squeezer.SetRung(tables[i], i == 0 ? 0 : plans[i - 1].RungAt(from));
                    rig.Add(tables[i], tokens.Span.Slice(from, count), compares ? count : 0);
                }
                rig.Run();
                if (compares)
                {
                    Compare(samples, count);
                }
            }
            return [.. samples.Select((plan, i) => new MixedSample(plan, Shares(tables[i + 1])))];
        }
        finally
        {
            rig.Clear();
            Array.ForEach(tables, rig.Cache.Release);
        }
    }

    private void Compare(DivergenceSamples[] samples, int count)
    {
        double[] kl = new double[samples.Length * count];
        Parallel.For(0, kl.Length, new ParallelOptions { MaxDegreeOfParallelism = rig.Settings.ThreadCount }, at =>
        {
            (int plan, int row) = Math.DivRem(at, count);
            kl[at] = LogitDivergence.Kl(rig.Batch.Logits(row), rig.Batch.Logits(((plan + 1) * count) + row));
        });
        for (int at = 0; at < kl.Length; at++)
        {
            samples[at / count].Add(new PositionDivergence(kl[at], null, true));
        }
    }

    private double[][] Shares(PageTable table) =>
    [
        .. DistortionMix.Decays.Select(decay =>
        {
            double[] shares = new double[rig.Cache.Rungs.Count];
            RungShares.Of(table, decay, shares);
            return shares;
        }),
    ];
}

/// <summary>What a plan did.</summary>
/// <param name="Divergence">Divergence from the lossless run.</param>
/// <param name="Shares">Share of the units on each rung of the cache at the end, for each of <see cref="DistortionMix.Decays"/>.</param>
public sealed record MixedSample(DivergenceSamples Divergence, double[][] Shares);
