using System.Runtime.InteropServices;
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
        List<byte[]> records = RecordsOf(harness.Cache, table, tokens);
        long before = harness.Cache.UsedBytes;

        PageTable restored = harness.NewTable();
        Assert.True(TryRestore(harness.Cache, restored, records, count));

        Assert.Equal(table.Bytes, restored.Bytes);
        Assert.Equal(restored.Bytes, harness.Cache.UsedBytes - before);
        Assert.Equal(records, RecordsOf(harness.Cache, restored, tokens));
        harness.Cache.CheckIntegrity();
        harness.Add(table, count, tokens.AsSpan(count), 20);
        float[][] expected = harness.Run();
        harness.Add(restored, count, tokens.AsSpan(count), 20);
        Assert.Equal(expected, harness.Run());
        harness.Cache.Release(restored);
        harness.Cache.Release(table);
        harness.Cache.CheckIntegrity();
    }

    /// <summary>Eviction looks at the last queries, which the table keeps: without them it would wait for new ones and choose others.</summary>
    [Theory]
    [InlineData("f16+evict2", 700, 700)]
    [InlineData("int4+evict2", 700, 700)]
    [InlineData("f16+evict4", 1400, 1400)]
    [InlineData("int4+evict2", 705, 700)] // a few tokens were taken back
    public void A_restored_table_goes_on_evicting_as_the_one_that_never_left(string rung, int count, int kept)
    {
        using RandomModel model = RandomModel.Create(TinyShapes.Find("group 4"), TensorType.F32, seed: 3);
        using Harness harness = new(model, CacheParts.WithoutProfile(rung));
        int[] tokens = Tokens(model, 2400);
        PageTable stayed = Filled(harness, tokens.AsSpan(0, count), 1);
        Assert.Equal(kept, harness.Cache.Truncate(stayed, kept));
        PageTable restored = harness.NewTable();
        Assert.True(TryRestore(harness.Cache, restored, RecordsOf(harness.Cache, stayed, tokens), kept));
        Assert.NotEmpty(restored.Rings);
        long evicted = stayed.Eviction.Slots;

        foreach (int more in (int[])[3, 40, 100, 100, 200, 200, 200])
        {
            GoOn(harness, stayed, tokens.AsSpan(stayed.TokenCount, more));
            GoOn(harness, restored, tokens.AsSpan(restored.TokenCount, more));
            Assert.Equal(RecordsOf(harness.Cache, stayed, tokens), RecordsOf(harness.Cache, restored, tokens));
            Assert.Equal(stayed.Bytes, restored.Bytes);
        }
        Assert.True(stayed.Eviction.Slots > evicted, "Nothing was evicted after the restore.");
        harness.Cache.CheckIntegrity();
    }

    [Fact]
    public void What_a_ring_held_of_other_tokens_does_not_go_out()
    {
        using RandomModel model = RandomModel.Create(TinyShapes.Find("group 4"), TensorType.F32, seed: 3);
        CacheParts parts = CacheParts.WithoutProfile("int4+evict2");
        using Harness harness = new(model, parts);
        int[] tokens = Tokens(model, 300);
        PageTable cut = Filled(harness, tokens, 1);
        harness.Cache.Truncate(cut, 297);

        byte[] ring = RecordsOf(harness.Cache, cut, tokens)[1];

        int[] positions = MemoryMarshal.Cast<byte, int>(ring)[..parts.Eviction.QueryCount].ToArray();
        Assert.Equal(3, positions.Count(position => position < 0));
        Assert.All(positions, position => Assert.InRange(position, -1, 296));
        int rowBytes = (ring.Length / positions.Length) - sizeof(int);
        for (int row = 0; row < positions.Length; row++)
        {
            ReadOnlySpan<byte> halves = ring.AsSpan((positions.Length * sizeof(int)) + (row * rowBytes), rowBytes);
            Assert.Equal(positions[row] < 0, halves.IndexOfAnyExcept((byte)0) < 0);
        }
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
        List<byte[]> records = RecordsOf(harness.Cache, table, tokens);
        long before = harness.Cache.Interior.Arena.LiveBytes;

        PageTable restored = harness.NewTable();
        Assert.True(TryRestore(harness.Cache, restored, records, wanted));

        Assert.Equal(expected, restored.TokenCount);
        long counted = ArenaBytes(harness.Cache, records, wanted);
        Assert.InRange(harness.Cache.Interior.Arena.LiveBytes - before, counted, counted + (1 << 20));
        Assert.Equal(harness.Cache.Truncate(table, wanted), harness.Cache.Truncate(restored, wanted));
        Assert.Equal((table.ExactTokens, table.ReachedRung, table.Bytes), (restored.ExactTokens, restored.ReachedRung, restored.Bytes));
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
        TableImage image = ImageOf(cache, RecordsOf(cache, Caches.Filled(cache, tokens), tokens))!;

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
            if (ImageOf(harness.Cache, changed) is null)
            {
                refused++;
                continue;
            }
            PageTable restored = harness.NewTable();
            Assert.True(TryRestore(harness.Cache, restored, changed, int.MaxValue));
            harness.Cache.CheckIntegrity();
            harness.Cache.Release(restored);
            harness.Cache.CheckIntegrity();
        }
        Assert.InRange(refused, 200, 399);
    }

    // As a file is looked at: record by record; null when one cannot be.
    private static TableImage? ImageOf(PagedKvCache cache, List<byte[]> records)
    {
        TableRestores restores = cache.Interior.Restores;
        TableImage? image = TableImage.Parse(restores, records[0], out _);
        bool isPossible = image is not null && image.State.RecordCount == records.Count - 1
            && Enumerable.Range(1, records.Count - 1).All(index => restores.Problem(image.State, index - 1, records[index]) is null);
        return isPossible ? image : null;
    }

    private static bool TryRestore(PagedKvCache cache, PageTable table, List<byte[]> records, int tokens)
    {
        TableImage image = ImageOf(cache, records)!;
        for (int index = 0; index < TableRestores.Wanted(image.State, tokens); index++)
        {
            if (!cache.Interior.Restores.TryAppend(table, image.State, index, records[index + 1]))
            {
                return false;
            }
        }
        cache.Interior.Restores.Finish(table, image.State, tokens);
        return true;
    }

    private static long ArenaBytes(PagedKvCache cache, List<byte[]> records, int tokens)
    {
        TableState state = ImageOf(cache, records)!.State;
        return Enumerable.Range(0, TableRestores.Wanted(state, tokens)).Sum(index => cache.Interior.Restores.ArenaBytes(state, index, records[index + 1]));
    }

    private static List<byte[]> RecordsOf(PagedKvCache cache, PageTable table, ReadOnlySpan<int> tokens)
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

    private static PageTable Filled(Harness harness, ReadOnlySpan<int> tokens, int rung)
    {
        PageTable table = harness.NewTable();
        Squeezer.SetRung(table, rung);
        for (int position = 0; position < tokens.Length; position += 100)
        {
            GoOn(harness, table, tokens.Slice(position, Math.Min(100, tokens.Length - position)));
        }
        return table;
    }

    // The next tokens, and everything that brings them to the rung.
    private static void GoOn(Harness harness, PageTable table, ReadOnlySpan<int> tokens)
    {
        harness.Add(table, table.TokenCount, tokens, 1);
        harness.Run();
        while (harness.Cache.StepTowardsRung(table).Outcome == SqueezeOutcome.Worked)
        {
        }
    }

    private static int[] Tokens(RandomModel model, int count) => [.. Enumerable.Range(0, count).Select(i => i * 31 % model.Config.VocabularySize)];
}
