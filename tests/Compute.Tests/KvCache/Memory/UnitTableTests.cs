using Concertina.Compute.KvCache.Memory;

namespace Concertina.Compute.Tests.KvCache.Memory;

public sealed unsafe class UnitTableTests
{
    [Fact]
    public void A_handle_is_recognised_after_its_unit_was_freed_and_its_slot_reused()
    {
        using Store store = new(extents: 2);
        UnitHandle old = store.New(4096);
        store.Units.Release(old);
        UnitHandle reused = store.New(4096);

        Assert.Equal(old.Index, reused.Index);
        Assert.Contains("outlived", Assert.Throws<InvalidOperationException>(() => store.Units.Release(old)).Message);
        Assert.Throws<InvalidOperationException>(() => store.Units.Bytes(old));
    }

    [Fact]
    public void A_handle_of_another_table_is_recognised()
    {
        using Store one = new(extents: 2);
        using Store two = new(extents: 2);
        UnitHandle foreign = one.New(4096);
        _ = two.New(4096);

        Assert.Contains("another cache", Assert.Throws<InvalidOperationException>(() => two.Units.Retain(foreign)).Message);
    }

    [Fact]
    public void Units_of_different_classes_never_share_an_extent_and_never_overlap()
    {
        using Store store = new(extents: 8);
        var random = new Random(1);
        List<(UnitHandle Unit, int Bytes)> live = [];
        for (int step = 0; step < 3000; step++)
        {
            int bytes = new[] { 700, 5000, 24_576, 131_072 }[random.Next(4)];
            if (random.Next(2) == 0 && store.TryNew(bytes, out UnitHandle unit))
            {
                new Span<byte>(store.Units.Bytes(unit), bytes).Fill((byte)unit.Index);
                live.Add((unit, bytes));
            }
            else if (live.Count > 0)
            {
                int at = random.Next(live.Count);
                AssertFilled(store, live[at].Unit, live[at].Bytes);
                store.Units.Release(live[at].Unit);
                live.RemoveAt(at);
            }
        }
        Assert.All(live, pair => AssertFilled(store, pair.Unit, pair.Bytes));
        live.ForEach(pair => store.Units.Release(pair.Unit));
        Assert.Equal(0, store.Arena.LiveBytes);
        Assert.Equal(0, store.Arena.ExtentsInUse);
        Assert.Equal(0, store.Units.LiveCount);
    }

    [Fact]
    public void A_class_that_needs_an_extent_gets_one_by_moving_units_of_another_together()
    {
        // Given all extents used by small units, of which most are gone
        using Store store = new(extents: 4);
        List<UnitHandle> small = [];
        while (store.TryNew(4096, out UnitHandle unit))
        {
            *(int*)store.Units.Bytes(unit) = unit.Index;
            small.Add(unit);
        }
        Assert.Equal(4 * 256, small.Count);
        UnitHandle[] kept = [.. small.Where((_, i) => i % 8 == 0)];
        small.Except(kept).ToList().ForEach(store.Units.Release);
        Assert.Equal(4, store.Arena.ExtentsInUse);

        // When a large one is wanted
        Assert.True(store.TryNew(1 << 20, out UnitHandle large));

        // Then it has an extent of its own and the small ones kept their content
        new Span<byte>(store.Units.Bytes(large), 1 << 20).Fill(0xEE);
        Assert.All(kept, unit => Assert.Equal(unit.Index, *(int*)store.Units.Bytes(unit)));
    }

    [Fact]
    public void Units_that_were_moved_before_are_moved_again_with_their_content()
    {
        // Given three extents with 10, 20 and 30 units, of which a large unit moves the 10
        using Store store = new(extents: 3);
        List<UnitHandle> small = [];
        while (store.TryNew(4096, out UnitHandle unit))
        {
            *(int*)store.Units.Bytes(unit) = unit.Index;
            small.Add(unit);
        }
        int perExtent = small.Count / 3;
        UnitHandle[] moved = [.. small.Take(10)];
        List<UnitHandle> others = [.. small.Skip(perExtent).Take(20), .. small.Skip(2 * perExtent).Take(30)];
        small.Except(moved).Except(others).ToList().ForEach(store.Units.Release);
        store.New(1 << 20);
        long home = store.ExtentOf(moved[0]);
        Assert.All(moved, unit => Assert.Equal(home, store.ExtentOf(unit)));

        // When they are alone where they are now, and another large unit wants an extent
        others.Where(unit => store.ExtentOf(unit) == home).ToList().ForEach(store.Units.Release);
        UnitHandle large = store.New(1 << 20);

        // Then they were moved again
        new Span<byte>(store.Units.Bytes(large), 1 << 20).Fill(0xEE);
        Assert.Equal(home, store.ExtentOf(large));
        Assert.All(moved, unit => Assert.Equal(unit.Index, *(int*)store.Units.Bytes(unit)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(511)]
    [InlineData(513)]
    [InlineData(24_576)]
    [InlineData(349_526)]
    [InlineData(1 << 20)]
    public void A_class_fits_its_units_and_its_share_covers_the_extent(int bytes)
    {
        var sizeClass = SizeClass.For(bytes);

        Assert.True(sizeClass.StrideBytes >= bytes);
        Assert.Equal(0, sizeClass.StrideBytes % 64);
        Assert.True((long)sizeClass.StrideBytes * sizeClass.SlotsPerExtent <= ExtentArena.ExtentBytes);
        Assert.True((long)sizeClass.ShareBytes * sizeClass.SlotsPerExtent >= ExtentArena.ExtentBytes);
    }

    [Fact]
    public void A_unit_larger_than_an_extent_is_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => SizeClass.For(ExtentArena.ExtentBytes + 1));

    private static void AssertFilled(Store store, UnitHandle unit, int bytes) =>
        Assert.Equal(-1, new Span<byte>(store.Units.Bytes(unit), bytes).IndexOfAnyExcept((byte)unit.Index));

    private sealed class Store : IDisposable
    {
        public Store(int extents)
        {
            Arena = new ExtentArena(extents);
            Units = new UnitTable(Arena, new CacheBudget((extents + 1L) << 20, 0), 10_000);
        }

        public ExtentArena Arena { get; }

        public UnitTable Units { get; }

        public long ExtentOf(UnitHandle unit) => (Units.Bytes(unit) - Arena.Start) / ExtentArena.ExtentBytes;

        public bool TryNew(int bytes, out UnitHandle unit) =>
            Units.TryAllocate(Arena.AddClass(bytes), fromReserve: false, out unit);

        public UnitHandle New(int bytes)
        {
            Assert.True(TryNew(bytes, out UnitHandle unit));
            return unit;
        }

        public void Dispose()
        {
            Units.Dispose();
            Arena.Dispose();
        }
    }
}
