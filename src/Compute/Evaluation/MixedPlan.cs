using Concertina.Compute.KvCache;

namespace Concertina.Compute.Evaluation;

/// <summary>
/// A session's history of rungs: it grew on one rung up to a column, then on a shallower one, and so on, as sessions do whose
/// memory comes back. What was squeezed deeper stays.
/// </summary>
/// <param name="Rungs">Rungs of the cache, deepest first.</param>
/// <param name="Ends">Tokens up to which each but the last holds.</param>
public sealed record MixedPlan(IReadOnlyList<int> Rungs, IReadOnlyList<int> Ends)
{
    private const int MostParts = 3;

    /// <summary>The rung at a length.</summary>
    public int RungAt(int tokens)
    {
        int part = 0;
        while (part < Ends.Count && tokens >= Ends[part])
        {
            part++;
        }
        return Rungs[part];
    }

    /// <inheritdoc/>
    public override string ToString() => $"{string.Join(',', Rungs)} until {string.Join(',', Ends)}";

    /// <summary>Draws different plans: one to three rungs, of which the lossless may be one, and where they change.</summary>
    /// <param name="count">How many.</param>
    /// <param name="rungCount">Rungs of the cache, the lossless one among them.</param>
    /// <param name="tokens">Tokens before which the last change lies.</param>
    /// <param name="seed">Seed.</param>
    public static IReadOnlyList<MixedPlan> Draw(int count, int rungCount, int tokens, int seed)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rungCount, 2);
        ArgumentOutOfRangeException.ThrowIfLessThan(tokens, (MostParts + 1) * KvShape.PageTokens);
        var random = new Random(seed);
        List<MixedPlan> plans = [];
        HashSet<string> drawn = [];
        while (plans.Count < count)
        {
            int parts = random.Next(1, MostParts + 1);
            int[] rungs = [.. Enumerable.Range(0, parts).Select(_ => random.Next(rungCount)).Distinct().OrderDescending()];
            int[] ends = [.. Enumerable.Range(1, rungs.Length - 1).Select(_ => random.Next(1, tokens / KvShape.PageTokens) * KvShape.PageTokens).Order()];
            var plan = new MixedPlan(rungs, ends);
            if (rungs[0] > 0 && drawn.Add(plan.ToString()))
            {
                plans.Add(plan);
            }
        }
        return plans;
    }
}
