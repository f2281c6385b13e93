using Concertina.Compute.KvCache.Memory;

namespace Concertina.Compute.Tests.KvCache.Memory;

public sealed class ExtentUnitsTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Each_extent_lists_exactly_the_units_put_there_and_not_taken_out(int seed)
    {
        const int extents = 5;
        const int units = 200;
        var random = new Random(seed);
        ExtentUnits lists = new(extents, units);
        int[] where = [.. Enumerable.Repeat(-1, units)];
        for (int step = 0; step < 5000; step++)
        {
            int unit = random.Next(units);
            if (where[unit] < 0)
            {
                where[unit] = random.Next(extents);
                lists.Add(where[unit], unit);
            }
            else
            {
                lists.Remove(where[unit], unit);
                where[unit] = -1;
            }
        }
        for (int extent = 0; extent < extents; extent++)
        {
            SortedSet<int> expected = [.. Enumerable.Range(0, units).Where(unit => where[unit] == extent)];
            SortedSet<int> found = [];
            for (int unit = lists.First(extent); unit >= 0; unit = lists.First(extent))
            {
                Assert.True(found.Add(unit));
                lists.Remove(extent, unit);
            }
            Assert.Equal(expected, found);
        }
    }
}
