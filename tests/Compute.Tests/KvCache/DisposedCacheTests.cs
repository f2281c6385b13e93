using Concertina.Compute.Attention;
using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Memory;

namespace Concertina.Compute.Tests.KvCache;

/// <summary>After disposal the native memory is gone: every call says so instead of touching it.</summary>
public sealed class DisposedCacheTests
{
    private static readonly int[] Tokens = Caches.Tokens(100, seed: 1);

    public static TheoryData<string> Calls => [.. CallsByName.Keys];

    private static Dictionary<string, Action<PagedKvCache, PageTable>> CallsByName { get; } = new()
    {
        ["CreateTable"] = static (cache, _) => cache.CreateTable(),
        ["TryReserve"] = static (cache, table) => cache.TryReserve(table, 200),
        ["TryReserve of slots it has"] = static (cache, table) => cache.TryReserve(table, 1),
        ["Write"] = static (cache, table) => Caches.Write(cache, table, 0, Tokens),
        ["Commit"] = static (cache, table) => cache.Commit(table, 100),
        ["Truncate"] = static (cache, table) => cache.Truncate(table, 70),
        ["Truncate nothing"] = static (cache, table) => cache.Truncate(table, 100),
        ["Release"] = static (cache, table) => cache.Release(table),
        ["Adopt"] = static (cache, table) => cache.Adopt(table, Caches.Tenant, Tokens, deepestRung: 0),
        ["MatchLength"] = static (cache, _) => cache.MatchLength(Caches.Tenant, Tokens, deepestRung: 0),
        ["Publish"] = static (cache, table) => cache.Publish(table, Caches.Tenant, Tokens),
        ["DropUnreferenced"] = static (cache, _) => cache.DropUnreferenced(1),
        ["TryResize"] = static (cache, _) => cache.TryResize(7L << 20),
        ["CheckIntegrity"] = static (cache, _) => cache.CheckIntegrity(),
        ["DeclareScratch"] = static (cache, _) => cache.DeclareScratch(1),
        ["PagedAttention"] = static (cache, _) => GC.KeepAlive(new PagedAttention(cache, 8, 1)),
        ["Unit handles"] = static (_, table) => table.Unit(0, 0),
    };

    [Theory]
    [MemberData(nameof(Calls))]
    public void A_call_after_disposal_is_refused(string call)
    {
        PagedKvCache cache = Caches.New();
        PageTable table = Caches.Filled(cache, Tokens);
        cache.Publish(table, Caches.Tenant, Tokens);
        cache.Dispose();

        Assert.Throws<ObjectDisposedException>(() => CallsByName[call](cache, table));
    }

    [Fact]
    public void A_handle_kept_beyond_disposal_reaches_no_memory()
    {
        PagedKvCache cache = Caches.New();
        PageTable table = Caches.Filled(cache, Tokens);
        UnitHandle unit = table.Unit(0, 0);
        cache.Dispose();

        Assert.Throws<ObjectDisposedException>(() => cache.Pages.View(unit, 0, 0, out _));
        Assert.Throws<ObjectDisposedException>(() => cache.Pages.Decode(table, 0, 0, new float[16], new float[16]));
    }

    [Fact]
    public void Disposing_twice_is_fine_and_the_counters_stay_readable()
    {
        PagedKvCache cache = Caches.New();
        _ = Caches.Filled(cache, Tokens);
        long used = cache.UsedBytes;
        cache.Dispose();
        cache.Dispose();
        Assert.Equal(used, cache.Statistics().UsedBytes);
    }
}
