using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Images;
using Concertina.Compute.KvCache.Transcoding;
using Concertina.Compute.Tests.KvCache.Transcoding;

namespace Concertina.Compute.Tests.KvCache.Images;

/// <summary>Units that cover several heads or pages go out once and come back as one.</summary>
public sealed class WideImageTests
{
    private const int Segment = 2;

    [Theory]
    [InlineData(1, 700, 700, 700)]
    [InlineData(2, 700, 700, 700)]
    [InlineData(3, 700, 700, 700)]
    [InlineData(1, 700, 300, 320)]
    [InlineData(2, 700, 300, 256)] // five columns end inside a segment
    [InlineData(2, 700, 512, 512)]
    [InlineData(3, 700, 300, 320)]
    public void A_restored_table_holds_what_the_other_held(int rung, int count, int wanted, int expected)
    {
        using PagedKvCache cache = Cache();
        int[] tokens = Caches.Tokens(count, seed: 1);
        PageTable table = Settled(cache, tokens, rung);
        List<byte[]> records = RecordsOf(cache, table, tokens);
        long before = cache.UsedBytes;

        PageTable restored = cache.CreateTable();
        Assert.Null(Restore(cache, restored, records, wanted));

        Assert.Equal(expected, restored.TokenCount);
        Caches.AssertContent(cache, restored, tokens.AsSpan(0, expected));
        cache.CheckIntegrity();
        if (wanted == count)
        {
            Assert.Equal(table.Bytes, restored.Bytes);
            Assert.Equal(restored.Bytes, cache.UsedBytes - before);
            Assert.Equal(records, RecordsOf(cache, restored, tokens));
        }
        Assert.True(Caches.TryFill(cache, restored, tokens));
        Settle(cache, restored, rung);
        Caches.AssertContent(cache, restored, tokens);
        cache.Release(table);
        cache.Release(restored);
        Assert.Equal(0, cache.Statistics().LiveUnits);
        cache.CheckIntegrity();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_part_whose_first_part_is_another_unit_is_found(int rung)
    {
        using PagedKvCache cache = Cache();
        int[] tokens = Caches.Tokens(700, seed: 1);
        List<byte[]> records = RecordsOf(cache, Settled(cache, tokens, rung), tokens);
        // A rank with a part that follows: a later page of a segment, or the last list of a layer page or a column.
        byte[] record = records[1 + (rung == Segment ? 5 : 4)];
        UnitHead last = UnitHead.Read(record.AsSpan(record.Length - UnitHead.Bytes));
        (last with { Flags = last.Flags | Concertina.Compute.KvCache.Memory.UnitFlags.Guarded }).Write(record.AsSpan(record.Length - UnitHead.Bytes));

        PageTable restored = cache.CreateTable();
        string? problem = Restore(cache, restored, records, 700);

        Assert.Contains("after", problem, StringComparison.Ordinal);
        cache.Release(restored);
        cache.CheckIntegrity();
    }

    private static PagedKvCache Cache() => new(Caches.Small, new KvCacheOptions { BudgetBytes = 24L << 20 }, UnitKindTests.Parts());

    private static PageTable Settled(PagedKvCache cache, int[] tokens, int rung)
    {
        PageTable table = Caches.Filled(cache, tokens);
        Settle(cache, table, rung);
        return table;
    }

    private static void Settle(PagedKvCache cache, PageTable table, int rung)
    {
        Squeezer.SetRung(table, rung);
        while (cache.StepTowardsRung(table).Outcome == SqueezeOutcome.Worked)
        {
        }
    }

    private static List<byte[]> RecordsOf(PagedKvCache cache, PageTable table, int[] tokens)
    {
        TableImages images = cache.Interior.Images;
        List<byte[]> records = [TableImage.FirstRecord(TableState.Of(table), tokens)];
        for (int index = 0; index < TableImages.RecordCount(table); index++)
        {
            byte[] record = new byte[images.RecordBytes(table, index)];
            Assert.InRange(record.Length, 1, images.MostRecordBytes);
            images.Write(table, index, record);
            records.Add(record);
        }
        return records;
    }

    // As the engine's thread does; what is wrong with a record, or null.
    private static string? Restore(PagedKvCache cache, PageTable table, List<byte[]> records, int tokens)
    {
        TableRestores restores = cache.Interior.Restores;
        TableImage image = TableImage.Parse(restores, records[0], out _)!;
        for (int index = 0; index < TableRestores.Wanted(image.State, tokens); index++)
        {
            byte[] record = records[index + 1];
            string? problem = restores.Problem(image.State, index, record) ?? restores.Problem(table, image.State, index, record);
            if (problem is not null)
            {
                return problem;
            }
            long live = cache.Interior.Arena.LiveBytes;
            Assert.True(restores.TryAppend(table, image.State, index, record));
            Assert.InRange(cache.Interior.Arena.LiveBytes - live, restores.ArenaBytes(image.State, index, record), restores.ArenaBytes(image.State, index, record) + (1 << 20));
        }
        restores.Finish(table, image.State, tokens);
        return null;
    }
}
