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
    public static SelfTestResult Run(IModelRunner runner, PagedKvCache cache, KvProfile? profile)
    {
        ArgumentNullException.ThrowIfNull(runner);
        ArgumentNullException.ThrowIfNull(cache);
        int[] text = Text(runner.Config);
        int rungs = cache.Rungs.Count - 1;
        Dictionary<string, string> failed = [];
        // As many at once as have a row each in a step and room in the cache, the lossless one among them.
        long room = cache.CommittableBytes / Enumerable.Range(0, cache.Rungs.Count).Max(rung => cache.CommitmentBytes(text.Length, rung, KvShape.PagesFor(text.Length)));
        int group = (int)Math.Min(Math.Min(runner.MaxLogitRows, runner.MaxRows), room) - 1;
        if (rungs > 0 && (text.Length <= TextEvaluation.FirstPosition || group < 1))
        {
            return new SelfTestResult(failed, string.Create(CultureInfo.InvariantCulture,
                $"A test needs a context of more than {TextEvaluation.FirstPosition + 1} tokens (it is {runner.Config.ContextLength}), 2 rows of logits in a step (there are {runner.MaxLogitRows}) and room for 2 sequences of {text.Length} tokens (there is room for {room})."));
        }
        using EvaluationRig rig = new(runner, cache, threads: 0);
        foreach (int[] some in Enumerable.Range(1, rungs).Chunk(Math.Max(1, group)))
        {
            DivergenceSamples[] samples = new TextEvaluation(rig).Run(text, some, CancellationToken.None);
            for (int i = 0; i < some.Length; i++)
            {
                Judge(rig.RungNames[some[i] - 1], samples[i + 1].MeanKl, profile, failed);
            }
        }
        return new SelfTestResult(failed, null);
    }

    private static void Judge(string rung, double found, KvProfile? profile, Dictionary<string, string> failed)
    {
        double limit = Allowance + (Tolerance * (profile?.Rungs.FirstOrDefault(measured => measured.Name == rung)?.MeanKl ?? 0));
        if (!(found <= limit)) // NaN fails too
        {
            failed.Add(rung, string.Create(CultureInfo.InvariantCulture,
                $"it diverges by {found:G3} nats per token on a short text, where at most {limit:G3} are credible."));
        }
    }

    // Any tokens do: what is compared are two runs of one model over the same ones.
    private static int[] Text(ModelConfig config)
    {
        var random = new Random(Seed);
        return [.. Enumerable.Range(0, Math.Min(Tokens, config.ContextLength - 1)).Select(_ => random.Next(config.VocabularySize))];
    }
}
