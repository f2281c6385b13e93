using Concertina.Compute.Profile;

namespace Concertina.Cli.Reports.Plots;

/// <summary>Rungs on the lower convex hull of bytes and divergence, as calibration puts them on a ladder.</summary>
internal static class RungHull
{
    /// <summary>Those on the hull, from most bytes to fewest.</summary>
    /// <param name="rungs">From most bytes to fewest, the lossless one first.</param>
    public static IReadOnlyList<RungSummary> Of(IReadOnlyList<RungSummary> rungs) =>
        [.. LowerHull.Of([.. rungs.Select(rung => (rung.BytesPerToken, rung.MeanKl))]).Select(rung => rungs[rung])];
}
