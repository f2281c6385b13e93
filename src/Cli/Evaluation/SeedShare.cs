namespace Concertina.Cli.Evaluation;

/// <summary>Which part of some material a seed takes: the first so many, the next so many, and around again, so that few seeds share nothing.</summary>
/// <param name="Seed">1 takes the first.</param>
internal readonly record struct SeedShare(int Seed)
{
    /// <summary>The seed's part, in the order of the material.</summary>
    /// <param name="items">The material.</param>
    /// <param name="most">How much of it is taken; with fewer than that there are, all of them.</param>
    public IReadOnlyList<T> Of<T>(IReadOnlyList<T> items, int most)
    {
        int count = Math.Min(items.Count, most);
        long first = (long)(Seed - 1) * count;
        return [.. Enumerable.Range(0, count)
            .Select(item => (int)((((first + item) % items.Count) + items.Count) % items.Count))
            .Order()
            .Select(item => items[item])];
    }
}
