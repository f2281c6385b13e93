using Concertina.Compute.Profile;

namespace Concertina.Compute.Tests.Profile;

public sealed class LowerHullTests
{
    [Fact]
    public void The_demo_s_rungs_are_on_the_hull_but_for_the_dominated_and_those_above_a_line()
    {
        (double, double)[] points = [(4098, 0), (2238, 0.00017), (1742, 0.00026), (1246, 0.0005), (998, 0.0021), (750, 0.0062), (657, 0.0026), (409, 0.0093)];

        Assert.Equal([0, 1, 2, 3, 6, 7], LowerHull.Of(points));
        Assert.Equal([0, 1, 2, 3, 4, 6, 7], LowerHull.WithFilledGaps(points, 0.08));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void No_mix_of_two_points_is_better_than_a_point_of_the_hull(int seed)
    {
        var random = new Random(seed);
        for (int round = 0; round < 200; round++)
        {
            (double Bytes, double Distortion)[] points =
                [(1000, 0), .. Enumerable.Range(0, random.Next(1, 12)).Select(_ => (random.Next(1, 1000) * 1.0, random.Next(1, 50) * 0.1))];

            IReadOnlyList<int> hull = LowerHull.Of(points);

            Assert.Equal(0, hull[0]);
            foreach (int point in Enumerable.Range(0, points.Length))
            {
                bool beaten = Beaten(points, point);
                bool twin = hull.Any(other => other != point && points[other] == points[point]);
                Assert.Equal(!beaten && !twin, hull.Contains(point));
            }
        }
    }

    // By definition: another point, or a mix of two, has no more of either and less of one, or lies on the same spot of a line.
    private static bool Beaten((double Bytes, double Distortion)[] points, int point)
    {
        if (point == 0)
        {
            return false;
        }
        (double bytes, double distortion) = points[point];
        foreach ((double leftBytes, double leftDistortion) in points)
        {
            if (leftBytes <= bytes && leftDistortion <= distortion && (leftBytes < bytes || leftDistortion < distortion))
            {
                return true;
            }
            foreach ((double rightBytes, double rightDistortion) in points)
            {
                bool between = leftBytes > bytes && rightBytes < bytes;
                if (between && ((distortion - leftDistortion) * (leftBytes - rightBytes)) - ((rightDistortion - leftDistortion) * (leftBytes - bytes)) >= -1e-12)
                {
                    return true;
                }
            }
        }
        return false;
    }
}
