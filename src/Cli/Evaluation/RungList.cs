using Concertina.Compute.KvCache.Rungs;
using Concertina.Compute.Profile;

namespace Concertina.Cli.Evaluation;

/// <summary>What <c>--rungs</c> means.</summary>
internal static class RungList
{
    /// <summary>The names in a text, or for <c>all</c> every rung there is for a model and its profile, lossless first.</summary>
    public static string[] Named(string text, KvProfile? profile)
    {
        if (text != "all")
        {
            return text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        }
        IEnumerable<Rung> known = profile is null ? RungCatalog.WithoutProfile : RungCatalog.All.Where(profile.Serves);
        return [.. known.Select(rung => rung.Name).Union(profile?.Rungs.Select(rung => rung.Name) ?? [])];
    }
}
