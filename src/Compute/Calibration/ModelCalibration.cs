using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Concertina.Compute.Calibration.CommVq;
using Concertina.Compute.Calibration.XQuant;
using Concertina.Compute.Evaluation;
using Concertina.Compute.Kernels.Elementwise;
using Concertina.Compute.KvCache.Codecs.CommVq;
using Concertina.Compute.KvCache.Codecs.CommVq.Books;
using Concertina.Compute.Model;
using Concertina.Compute.Profile;

namespace Concertina.Compute.Calibration;

/// <summary>
/// Makes the trained part of a KV profile: captures keys and values of a text, trains CommVQ's codebooks on them. The measured
/// part is added by whoever measures rungs (<see cref="WithRungs"/>).
/// </summary>
public static class ModelCalibration
{
    private const long CaptureBudgetBytes = 1L << 30;
    private const double LeastStep = 0.08;

    /// <summary>Trains.</summary>
    /// <param name="source">The model.</param>
    /// <param name="windows">Windows of text to train on.</param>
    /// <param name="plan">How.</param>
    /// <param name="progress">Called with the share that is done, from any thread.</param>
    /// <param name="cancellation">Cancels; finished heads stay in the plan's folder.</param>
    /// <returns>A profile without measured rungs.</returns>
    public static KvProfile Train(
        ModelSource source, IReadOnlyList<int[]> windows, CalibrationPlan plan, Action<double> progress, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(windows);
        ArgumentNullException.ThrowIfNull(plan);
        ModelConfig config = source.Config;
        int headCount = config.LayerCount * config.KvHeadCount;
        string text = TextHash(windows);
        var shape = CommVqShape.Choose(config.HeadDim, headCount, plan.ExpectedTokens);
        string identity = string.Create(CultureInfo.InvariantCulture, $"{source.ContentHash} {text} {plan.Seed} {shape}");
        IReadOnlyList<CommVqArm> arms = plan.Arms ? CommVqArm.All : [];
        IReadOnlyList<HeadSample> samples = Capture(source, windows, plan, turnedBack: true, cancellation);
        int finished = 0;
        CommVqBooks Books(CommVqArm arm, string folder)
        {
            var training = new CommVqTraining { Shape = shape, Seed = (ulong)plan.Seed, Threads = plan.ThreadCount, Arm = arm };
            IReadOnlyList<HeadSample> heads = arm.BeforeRope ? samples : Capture(source, windows, plan, turnedBack: false, cancellation);
            return new BookTraining(training, config.HeadDim, folder, identity).Run(
                heads, _ => progress((double)Interlocked.Increment(ref finished) / (headCount * (1 + arms.Count))), cancellation);
        }
        CommVqBooks ladder = Books(CommVqArm.None, plan.WorkFolder);
        return new KvProfile
        {
            ModelHash = source.ContentHash,
            Shape = config.ToKvShape(),
            Calibration = new CalibrationFacts(plan.Seed, text, windows.Sum(window => (long)window.Length), 0),
            Rungs = [],
            Books = ladder,
            Residuals = ResidualMedians.Of(ladder, samples, plan.ThreadCount, cancellation),
            ArmBooks = arms.ToDictionary(arm => arm.Name, arm => Books(arm, Path.Combine(plan.WorkFolder, arm.Name))),
        };
    }

    /// <summary>
    /// A profile with measured rungs and its ladder: the lower hull of bytes and mean divergence, with its gaps filled, of the
    /// rungs that keep recall; behind them, by recall, those that do not. Divergence alone would put rungs on the ladder that
    /// read as well and remember half.
    /// </summary>
    /// <param name="profile">The trained part.</param>
    /// <param name="rungs">Measured rungs, the lossless one first.</param>
    /// <param name="measuredTokens">Tokens they were measured on.</param>
    public static KvProfile WithRungs(KvProfile profile, IReadOnlyList<RungMeasure> rungs, long measuredTokens)
    {
        ArgumentNullException.ThrowIfNull(profile);
        ArgumentNullException.ThrowIfNull(rungs);
        HashSet<string> ladder = Ladder(rungs);
        IEnumerable<RungMeasure> marked = rungs.Select(rung => rung with { OnLadder = ladder.Contains(rung.Name) });
        return new KvProfile
        {
            ModelHash = profile.ModelHash,
            Shape = profile.Shape,
            Calibration = profile.Calibration with { MeasuredTokens = measuredTokens },
            Rungs = [.. marked.OrderByDescending(rung => rung.BytesPerToken8K)],
            Books = profile.Books,
            Residuals = profile.Residuals,
            ArmBooks = profile.ArmBooks,
            Latents = profile.Latents,
        };
    }

    /// <summary>A profile with XQuant's latent maps, made from the model's weights alone.</summary>
    /// <param name="profile">The profile.</param>
    /// <param name="source">Its model.</param>
    /// <param name="cancellation">Cancels between layers.</param>
    /// <exception cref="ArgumentException">The profile is another model's.</exception>
    /// <exception cref="InvalidDataException">The weights cannot be decomposed well enough.</exception>
    public static KvProfile WithLatents(KvProfile profile, ModelSource source, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(profile);
        ArgumentNullException.ThrowIfNull(source);
        if (profile.ModelHash != source.ContentHash)
        {
            throw new ArgumentException($"The profile was made for model {profile.ModelHash}, not for {source.ContentHash}. Calibrate this model.", nameof(profile));
        }
        return new KvProfile
        {
            ModelHash = profile.ModelHash,
            Shape = profile.Shape,
            Calibration = profile.Calibration,
            Rungs = profile.Rungs,
            Books = profile.Books,
            Residuals = profile.Residuals,
            ArmBooks = profile.ArmBooks,
            Latents = LatentPreparation.Maps(source, cancellation),
        };
    }

    private static HashSet<string> Ladder(IReadOnlyList<RungMeasure> rungs)
    {
        RungMeasure lossless = rungs[0];
        RungMeasure[] keeping = [.. rungs.Where(rung => rung.KeepsRecall(lossless))];
        List<RungMeasure> ladder = [.. LowerHull.WithFilledGaps(
            [.. keeping.Select(rung => (rung.BytesPerToken8K, rung.MeanKl))], LeastStep).Select(point => keeping[point])];
        RungMeasure[] rest = [ladder[^1], .. rungs.Where(rung => !rung.KeepsRecall(lossless) && rung.BytesPerToken8K < ladder[^1].BytesPerToken8K)];
        double most = rest.Max(rung => rung.Recall ?? 0);
        ladder.AddRange(LowerHull.Of([.. rest.Select(rung => (rung.BytesPerToken8K, most - (rung.Recall ?? 0)))]).Select(point => rest[point]));
        return [.. ladder.Select(rung => rung.Name)];
    }

    private static IReadOnlyList<HeadSample> Capture(
        ModelSource source, IReadOnlyList<int[]> windows, CalibrationPlan plan, bool turnedBack, CancellationToken cancellation)
    {
        ModelConfig config = source.Config;
        using EvaluationRig rig = new(source, profile: null, new EvaluationSettings
        {
            Rungs = [],
            BudgetBytes = CaptureBudgetBytes,
            Threads = plan.Threads,
        });
        double[] frequencies = Rotary.Frequencies(config.RopeDim, config.RopeBase, config.RopeLinearFactor, source.RopeFrequencyDivisors.Span);
        var rotation = new CommVqRotation(new AngleTable(frequencies, config.HeadDim, windows.Max(window => window.Length)));
        return new HeadSampler(rig, turnedBack ? rotation : null).Capture(windows, cancellation);
    }

    private static string TextHash(IReadOnlyList<int[]> windows)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (int[] window in windows)
        {
            hash.AppendData(MemoryMarshal.AsBytes(window.AsSpan()));
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
