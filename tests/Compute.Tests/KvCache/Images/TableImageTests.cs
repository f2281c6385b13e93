using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Images;
using Concertina.Compute.KvCache.Transcoding;
using Concertina.Compute.Model;
using Concertina.Compute.Model.Weights;
using Concertina.Compute.Tests.Model;

namespace Concertina.Compute.Tests.KvCache.Images;

/// <summary>A table that was copied out and back has every bit of the one it was.</summary>
public sealed class TableImageTests
{
    private const string None = "int8"; // a ladder with a rung that is not taken

    [Theory]
    [InlineData("f16", 1)]
    [InlineData("f16", 64)]
    [InlineData("f16", 700)]
    [InlineData("int8", 700)]
    [InlineData("k4v2", 500)]
    [InlineData("int4+evict2", 700)]
    [InlineData("f16+evict4", 1400)] // more units in a list than one block of it holds
    public void The_next_tokens_of_a_restored_table_have_the_same_logits(string rung, int count)
    {
        using RandomModel model = RandomModel.Create(TinyShapes.Find("group 4"), TensorType.F32, seed: 3);
        using Harness harness = new(model, CacheParts.WithoutProfile(rung == "f16" ? None : rung));
        int[] tokens = Tokens(model, count + 20);
        PageTable table = Filled(harness, tokens.AsSpan(0, count), rung == "f16" ? 0 : 1);
        TableImage image = ImageOf(harness.Cache, table, tokens);
        long before = harness.Cache.UsedBytes;

        PageTable restored = harness.NewTable();
        Assert.True(harness.Cache.Interior.Images.TryRestore(restored, image.State, image.Ranks, count));

        Assert.Equal(table.Bytes - RingBytes(table), restored.Bytes);
        Assert.Equal(restored.Bytes, harness.Cache.UsedBytes - before);
        Assert.Equal(RecordsOf(harness.Cache, table, tokens), RecordsOf(harness.Cache, restored, tokens));
        harness.Cache.CheckIntegrity();
        harness.Add(table, count, tokens.AsSpan(count), 20);
        float[][] expected = harness.Run();
        harness.Add(restored, count, tokens.AsSpan(count), 20);
        Assert.Equal(expected, harness.Run());
        harness.Cache.Release(restored);
        harness.Cache.Release(table);
        harness.Cache.CheckIntegrity();
    }

    [Theory]
    [InlineData("f16", 300, 320)]
    [InlineData("int8", 300, 320)]
    [InlineData("int4+evict2", 300, 700)] // chosen together, restored together
    public void A_table_restored_for_fewer_tokens_leaves_out_the_columns_behind_them(string rung, int wanted, int expected)
    {
        using RandomModel model = RandomModel.Create(TinyShapes.Find("group 4"), TensorType.F32, seed: 3);
        using Harness harness = new(model, CacheParts.WithoutProfile(rung == "f16" ? None : rung));
        int[] tokens = Tokens(model, 700);
        PageTable table = Filled(harness, tokens, rung == "f16" ? 0 : 1);
        TableImage image = ImageOf(harness.Cache, table, tokens);
        TableImages images = harness.Cache.Interior.Images;
        long before = harness.Cache.Interior.Arena.LiveBytes;

        PageTable restored = harness.NewTable();
        Assert.True(images.TryRestore(restored, image.State, image.Ranks, wanted));

        Assert.Equal(expected, restored.TokenCount);
        Assert.InRange(harness.Cache.Interior.Arena.LiveBytes - before, images.ArenaBytes(image.State, image.Ranks, wanted), images.ArenaBytes(image.State, image.Ranks, wanted) + (1 << 20));
        Assert.Equal(harness.Cache.Truncate(table, wanted), harness.Cache.Truncate(restored, wanted));
        Assert.Equal((table.ExactTokens, table.ReachedRung, table.Bytes - RingBytes(table)), (restored.ExactTokens, restored.ReachedRung, restored.Bytes));
        harness.Cache.CheckIntegrity();
    }

    [Fact]
    public void What_an_unfilled_slot_held_before_does_not_go_out()
    {
        using PagedKvCache cache = Caches.New();
        PageTable other = Caches.Filled(cache, Caches.Tokens(64, seed: 1));
        cache.Release(other);
        cache.DropUnreferenced(long.MaxValue);
        int[] tokens = Caches.Tokens(3, seed: 2);
        PageTable reused = Caches.Filled(cache, tokens);

        using PagedKvCache fresh = Caches.New();
        Assert.Equal(RecordsOf(fresh, Caches.Filled(fresh, tokens), tokens), RecordsOf(cache, reused, tokens));
    }

    [Fact]
    public void An_image_covers_the_tokens_it_was_made_of_and_no_others()
    {
        using PagedKvCache cache = Caches.New();
        int[] tokens = Caches.Tokens(100, seed: 2);
        TableImage image = ImageOf(cache, Caches.Filled(cache, tokens), tokens);

        Assert.True(image.Covers([.. tokens, 1, 2]));
        Assert.False(image.Covers(tokens.AsSpan(0, 99)));
        tokens[99]++;
        Assert.False(image.Covers(tokens));
    }

    /// <summary>The seals of a file catch damage before; this is what remains when they were made over nonsense.</summary>
    [Theory]
    [InlineData("int8")]
    [InlineData("int4+evict2")]
    public void Nonsense_is_refused_or_makes_a_table_that_keeps_every_law(string rung)
    {
        using RandomModel model = RandomModel.Create(TinyShapes.Find("group 4"), TensorType.F32, seed: 3);
        using Harness harness = new(model, CacheParts.WithoutProfile(rung));
        int[] tokens = Tokens(model, 700);
        List<byte[]> records = RecordsOf(harness.Cache, Filled(harness, tokens, 1), tokens);
        Random random = new(5);
        int refused = 0;
        for (int round = 0; round < 400; round++)
        {
            List<byte[]> changed = [.. records.Select(record => record.ToArray())];
            byte[] record = changed[round % 4 == 0 ? random.Next(changed.Count) : 0];
            record[round % 4 == 0 ? random.Next(Math.Min(record.Length, 64)) : random.Next(32, record.Length)] ^= (byte)(1 << random.Next(8));
            if (TableImage.Parse(harness.Cache.Interior.Images, changed, out _) is not { } image)
            {
                refused++;
                continue;
            }
            PageTable restored = harness.NewTable();
            Assert.True(harness.Cache.Interior.Images.TryRestore(restored, image.State, image.Ranks, int.MaxValue));
            harness.Cache.CheckIntegrity();
            harness.Cache.Release(restored);
            harness.Cache.CheckIntegrity();
        }
        Assert.InRange(refused, 200, 399);
    }

    internal static TableImage ImageOf(PagedKvCache cache, PageTable table, ReadOnlySpan<int> tokens)
    {
        TableImage? image = TableImage.Parse(cache.Interior.Images, RecordsOf(cache, table, tokens), out string problem);
        Assert.True(image is not null, problem);
        return image;
    }

    internal static List<byte[]> RecordsOf(PagedKvCache cache, PageTable table, ReadOnlySpan<int> tokens)
    {
        TableImages images = cache.Interior.Images;
        List<byte[]> records = [TableImage.FirstRecord(TableState.Of(table), tokens)];
        for (int rank = 0; rank < table.LongestList; rank++)
        {
            byte[] record = new byte[images.RecordBytes(table, rank)];
            images.Write(table, rank, record);
            records.Add(record);
        }
        return records;
    }

    private static long RingBytes(PageTable table) => table.RingHeapBytes + table.Rings.Sum(ring => (long)table.Owner.Interior.Units.StrideBytes(ring));

    private static PageTable Filled(Harness harness, ReadOnlySpan<int> tokens, int rung)
    {
        PageTable table = harness.NewTable();
        Squeezer.SetRung(table, rung);
        for (int position = 0; position < tokens.Length; position += 100)
        {
            harness.Add(table, position, tokens.Slice(position, Math.Min(100, tokens.Length - position)), 1);
            harness.Run();
            while (harness.Cache.StepTowardsRung(table).Outcome == SqueezeOutcome.Worked)
            {
            }
        }
        return table;
    }

    private static int[] Tokens(RandomModel model, int count) => [.. Enumerable.Range(0, count).Select(i => i * 31 % model.Config.VocabularySize)];
}
