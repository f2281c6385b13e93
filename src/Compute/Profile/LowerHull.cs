namespace Concertina.Compute.Profile;

/// <summary>
/// Which rungs belong on a ladder: the lower convex hull of (bytes, distortion), because any mix of two rungs beats a rung
/// above the line between them. Source: the rate-distortion argument of Shoham and Gersho, IEEE TASSP 36(9), 1988.
/// </summary>
public static class LowerHull
{
    /// <summary>Indices of the points on the hull, from most bytes to fewest; the first point of all is always among them.</summary>
    /// <param name="points">Bytes and distortion of each; the first is the lossless one, with most bytes and no distortion.</param>
    public static IReadOnlyList<int> Of(IReadOnlyList<(double Bytes, double Distortion)> points)
    {
        ArgumentNullException.ThrowIfNull(points);
        List<int> hull = [0];
        // What takes as many bytes as the lossless point is no step down from it.
        IOrderedEnumerable<int> order = Enumerable.Range(1, points.Count - 1)
            .Where(point => points[point].Bytes < points[0].Bytes)
            .OrderByDescending(point => points[point].Bytes).ThenBy(point => points[point].Distortion).ThenBy(point => point);
        foreach (int point in order)
        {
            // Fewer bytes at no more distortion make what came before useless; the lossless point stays.
            while (hull.Count > 1 && points[hull[^1]].Distortion >= points[point].Distortion)
            {
                hull.RemoveAt(hull.Count - 1);
            }
            if (points[hull[^1]].Bytes <= points[point].Bytes)
            {
                continue; // no fewer bytes than the last, and sorted behind it
            }
            while (hull.Count > 1 && IsAbove(points[hull[^2]], points[hull[^1]], points[point]))
            {
                hull.RemoveAt(hull.Count - 1);
            }
            hull.Add(point);
        }
        return hull;
    }

    /// <summary>
    /// The hull, and between its points those that nothing dominates and that are not close to a neighbour: a session is on
    /// one rung, not on a mix, so a floor just above such a point would otherwise cost it the whole step to the next.
    /// </summary>
    /// <param name="points">Bytes and distortion of each; the first is the lossless one.</param>
    /// <param name="leastStep">Share by which bytes must differ from both neighbours.</param>
    public static IReadOnlyList<int> WithFilledGaps(IReadOnlyList<(double Bytes, double Distortion)> points, double leastStep)
    {
        ArgumentNullException.ThrowIfNull(points);
        List<int> ladder = [.. Of(points)];
        IEnumerable<int> others = Enumerable.Range(1, points.Count - 1).Where(point => points[point].Bytes < points[0].Bytes);
        foreach (int point in others.OrderByDescending(point => points[point].Bytes).Except(ladder.ToArray()))
        {
            int below = ladder.FindIndex(other => points[other].Bytes < points[point].Bytes);
            if (below <= 0)
            {
                continue; // beyond the deepest rung, all but the hull's own end are dominated
            }
            (double Bytes, double Distortion) shallower = points[ladder[below - 1]];
            (double Bytes, double Distortion) deeper = points[ladder[below]];
            bool undominated = points[point].Distortion > shallower.Distortion && points[point].Distortion < deeper.Distortion;
            bool apart = points[point].Bytes <= shallower.Bytes * (1 - leastStep) && deeper.Bytes <= points[point].Bytes * (1 - leastStep);
            if (undominated && apart)
            {
                ladder.Insert(below, point);
            }
        }
        return ladder;
    }

    // Whether the middle point lies on or above the line from left to right.
    private static bool IsAbove(
        (double Bytes, double Distortion) left, (double Bytes, double Distortion) middle, (double Bytes, double Distortion) right) =>
        (middle.Distortion - left.Distortion) * (left.Bytes - right.Bytes) >= (right.Distortion - left.Distortion) * (left.Bytes - middle.Bytes);
}
