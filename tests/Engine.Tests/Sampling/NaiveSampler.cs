using Concertina.Compute.Engine;
using Concertina.Compute.Engine.Sampling;

namespace Concertina.Engine.Tests.Sampling;

/// <summary>The definition, in binary64 and with full sorts.</summary>
internal static class NaiveSampler
{
    /// <summary>Tokens that the filters keep, with their probabilities, by id.</summary>
    public static SortedDictionary<int, double> Distribution(float[] logits, SamplingSpec how)
    {
        double highest = logits.Max();
        List<(int Id, double Weight)> all = Enumerable.Range(0, logits.Length)
            .Select(id => (Id: id, Weight: Math.Exp((logits[id] - highest) / how.Temperature)))
            .OrderByDescending(token => logits[token.Id]).ThenBy(token => token.Id).ToList();
        List<(int Id, double Weight)> kept = how.TopK > 0 ? all.Take(how.TopK).ToList() : all;
        double total = kept.Sum(token => token.Weight);
        double sum = 0;
        kept = how.TopP >= 1 ? kept : [.. kept.TakeWhile(token =>
        {
            bool before = sum < how.TopP * total;
            sum += token.Weight;
            return before;
        })];
        kept = [.. kept.Where(token => token.Weight >= how.MinP * kept[0].Weight)];
        double left = kept.Sum(token => token.Weight);
        return new SortedDictionary<int, double>(kept.ToDictionary(token => token.Id, token => token.Weight / left));
    }

    public static int Draw(float[] logits, SamplingSpec how, int position)
    {
        double share = Philox4x32.NextDouble(how.Seed, position);
        double sum = 0;
        SortedDictionary<int, double> kept = Distribution(logits, how);
        foreach ((int id, double probability) in kept)
        {
            sum += probability;
            if (sum > share)
            {
                return id;
            }
        }
        return kept.Keys.Last();
    }
}
