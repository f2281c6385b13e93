using Concertina.Compute.Engine;
using Concertina.Compute.Model;
using Concertina.Compute.Profile;

namespace Concertina.Compute.Bench;

/// <summary>How fast memory goes back to the operating system when the KV budget is halved while streams run.</summary>
public static class BudgetBenchmark
{
    private const int QuietSteps = 40;
    private const int NewTokens = 512;

    /// <summary>Share of the bytes to give back whose time is taken.</summary>
    private const double CountedShare = 0.9;

    /// <summary>Runs it.</summary>
    /// <param name="file">The model.</param>
    /// <param name="profile">Its KV profile, if it has one.</param>
    /// <param name="settings">What to measure; the sessions shall nearly fill the budget.</param>
    /// <param name="tokens">A text, at least as long as a session.</param>
    /// <param name="time">Clock.</param>
    /// <exception cref="InvalidOperationException">The sessions do not fit, or a stream ended early.</exception>
    public static async Task<BudgetResult> Run(ModelFile file, KvProfile? profile, ElasticSettings settings, ReadOnlyMemory<int> tokens, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentOutOfRangeException.ThrowIfLessThan(tokens.Length, settings.Tokens + settings.Sessions, nameof(tokens));
        await using ElasticRig rig = new(file, profile, settings, time);
        Generation[] streams = [.. Enumerable.Range(0, settings.Sessions).Select(i => ElasticRig.Submit(
            rig.Open($"s{i}"), tokens.Slice(i, settings.Tokens), NewTokens, new KvSpec { FloorRung = settings.Rung }))];
        rig.StepUntil(() => rig.Engine.Snapshot.PrefilledTokens >= (long)settings.Tokens * settings.Sessions);
        List<double> quiet = [];
        long until = rig.Engine.Snapshot.Steps + QuietSteps;
        rig.StepUntil(() => rig.Engine.Snapshot.Steps >= until, quiet);

        (long used, long resident) = (rig.Engine.Snapshot.Kv.UsedBytes, ResidentBytes());
        (long generated, long budget) = (rig.Engine.Snapshot.GeneratedTokens, settings.BudgetBytes);
        long most = 0;
        Task<KvBudgetState> change = rig.Engine.ChangeBudgetAsync(budget / 2);
        long goal = resident - (long)(CountedShare * (used - (budget / 2)));
        List<double> during = [];
        double seconds = rig.StepUntil(() => Look(ref most, rig) && ResidentBytes() <= goal, during);
        long given = resident - ResidentBytes();
        rig.StepUntil(() => rig.Engine.Snapshot.Budget.Hold == KvBudgetHold.None);
        await change;
        if (streams.FirstOrDefault(stream => stream.End is { Kind: FinishKind.Error }) is { } ended)
        {
            throw new InvalidOperationException($"A stream ended early: {ended.End!.ErrorMessage}");
        }
        return new BudgetResult
        {
            BudgetBytes = budget,
            TargetBytes = budget / 2,
            UsedBytes = used,
            GivenBackBytes = given,
            Seconds = seconds,
            SecondsPerGb = seconds / (given / 1e9),
            Steps = during.Count,
            TokensMeanwhile = rig.Engine.Snapshot.GeneratedTokens - generated,
            QuietStepMs = 1000 * Median(quiet),
            StepMs = 1000 * Median(during),
            LongestStepMs = 1000 * during.Max(),
            MostTranscodeBytes = most,
        };
    }

    private static bool Look(ref long most, ElasticRig rig)
    {
        most = Math.Max(most, rig.Engine.Squeezes.LastSliceBytes);
        return true;
    }

    // What the operating system counts for the process.
    private static long ResidentBytes() => Environment.WorkingSet;

    private static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }
}
