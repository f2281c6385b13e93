using Concertina.Compute.KvCache;

namespace Concertina.Compute.Engine.Spill;

/// <summary>The part of a KV budget that copies of units outside the arena are paid from: as much for each direction, fixed at start.</summary>
internal static class SpillReserve
{
    private const int ShareOfBudget = 64;
    private const long MostBytes = 64L << 20;

    /// <summary>Takes the reserve out of what a cache can promise.</summary>
    /// <returns>Bytes of each direction.</returns>
    /// <exception cref="ArgumentException">It leaves no room for a column; the message has the bytes.</exception>
    public static long Declare(PagedKvCache cache, EngineOptions options, SessionPages pages)
    {
        long bytes = BytesFor(cache, options);
        if (pages.Store.Enabled)
        {
            cache.DeclareScratch(2 * bytes);
        }
        return bytes;
    }

    /// <summary>Bytes of each direction: what the options say, but room for any one copy.</summary>
    public static long BytesFor(PagedKvCache cache, EngineOptions options) => Math.Max(
        cache.Interior.Images.MostRecordBytes,
        options.SpillBufferBytes > 0 ? options.SpillBufferBytes : Math.Min(cache.BudgetBytes / ShareOfBudget, MostBytes));
}
