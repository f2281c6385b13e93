using System.Globalization;
using Concertina.Compute.KvCache;
using Concertina.Compute.Model;
using Concertina.Compute.Profile;

namespace Concertina.Compute.Evaluation;

/// <summary>
/// Tries every rung on the model at load: a short text is run losslessly and on each rung in lockstep. A codec that is wrong for
/// a model (another head layout, codebooks of other weights, channels it cannot hold) shows as logits that are no numbers or
/// as a divergence far beyond what was measured, long before an answer is bad.
/// </summary>
public static class RungSelfTest
{
    /// <summary>Times the measured mean divergence that a short text may reach: texts differ, broken codecs differ by orders.</summary>
    private const double Tolerance = 20;

    /// <summary>Nats that any rung may reach, and that one without a measure must not pass: a broken codec gives several.</summary>
    private const double Allowance = 0.5;

    private const int Tokens = 448;
    private const int Seed = 7;

    /// <summary>Runs it on the runner and the cache that are about to serve; both are as before afterwards.</summary>
    /// <param name="runner">The runner.</param>
    /// <param name="cache">Its cache, empty.</param>
    /// <param name="profile">The model's profile, or null.</param>
    /// <returns>The rungs that failed, with what was found; empty when the model's context or the budget is too short to try.</returns>
    public static IReadOnlyDictionary<string, string> Run(IModelRunner runner, PagedKvCache cache, KvProfile? profile)
    {
        ArgumentNullException.ThrowIfNull(runner);
        ArgumentNullException.ThrowIfNull(cache);
        Dictionary<string, string> failed = [];
        int[] text = Text(runner.Config);
        bool fits = cache.CommitmentBytes(text.Length) * cache.Rungs.Count <= cache.CommittableBytes;
        if (cache.Rungs.Count == 1 || text.Length <= TextEvaluation.FirstPosition || !fits || runner.MaxLogitRows < cache.Rungs.Count)
        {
            return failed;
        }
        using EvaluationRig rig = new(runner, cache, threads: 0);
        DivergenceSamples[] samples = new TextEvaluation(rig).Run(text, CancellationToken.None);
        for (int rung = 1; rung < samples.Length; rung++)
        {
            string name = rig.RungNames[rung - 1];
            double limit = Allowance + (Tolerance * (profile?.Rungs.FirstOrDefault(measured => measured.Name == name)?.MeanKl ?? 0));
            double found = samples[rung].MeanKl;
            if (!(found <= limit)) // NaN fails too
            {
                failed.Add(name, string.Create(CultureInfo.InvariantCulture,
                    $"it diverges by {found:G3} nats per token on a short text, where at most {limit:G3} are credible."));
            }
        }
        return failed;
    }

    // Any tokens do: what is compared are two runs of one model over the same ones.
    private static int[] Text(ModelConfig config)
    {
        var random = new Random(Seed);
        return [.. Enumerable.Range(0, Math.Min(Tokens, config.ContextLength - 1)).Select(_ => random.Next(config.VocabularySize))];
    }
}
