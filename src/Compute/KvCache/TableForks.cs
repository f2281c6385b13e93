namespace Concertina.Compute.KvCache;

/// <summary>Second tables over the units of a first.</summary>
internal static class TableForks
{
    /// <summary>A second table over the units of a first; only an open page is copied, or with <c>deep</c> every unit. The same account pays.</summary>
    /// <returns>False, with the new table released, when the bytes of its lists or of the copy cannot be had.</returns>
    public static bool TryFork(this PagedKvCache cache, PageTable table, out PageTable fork, bool deep = false)
    {
        cache.Own(table);
        fork = cache.CreateTable(table.Account);
        bool shared = deep ? cache.Interior.Cuts.TryCopy(table, fork) : cache.Interior.Cuts.TryShare(table, fork);
        if (!shared)
        {
            cache.Release(fork);
        }
        return shared;
    }
}
