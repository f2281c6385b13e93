namespace Concertina.Cli.Reports.Plots;

/// <summary>
/// Rungs on the lower convex hull of bytes and divergence, as a ladder has them: a mix of two of them beats any rung above the
/// line between. Source: Shoham and Gersho, IEEE TASSP 36(9), 1988.
/// </summary>
internal static class RungHull
{
    /// <summary>Those on the hull, from most bytes to fewest; the one of least divergence is the first.</summary>
    /// <param name="rungs">From most bytes to fewest, of equal bytes the better first.</param>
    public static IReadOnlyList<RungSummary> Of(IReadOnlyList<RungSummary> rungs)
    {
        List<RungSummary> hull = [];
        foreach (RungSummary rung in rungs)
        {
            if (hull.Count > 0 && hull[^1].BytesPerToken <= rung.BytesPerToken)
            {
                continue; // no fewer bytes, and behind it: worse
            }
            while (hull.Count > 0 && hull[^1].MeanKl >= rung.MeanKl && hull[^1].MeanKl > 0)
            {
                hull.RemoveAt(hull.Count - 1);
            }
            while (hull.Count > 1 && IsAbove(hull[^2], hull[^1], rung))
            {
                hull.RemoveAt(hull.Count - 1);
            }
            hull.Add(rung);
        }
        return hull;
    }

    // Whether the middle one lies on or above the line from left to right.
    private static bool IsAbove(RungSummary left, RungSummary middle, RungSummary right) =>
        (middle.MeanKl - left.MeanKl) * (left.BytesPerToken - right.BytesPerToken)
        >= (right.MeanKl - left.MeanKl) * (left.BytesPerToken - middle.BytesPerToken);
}
