using Concertina.Compute.Attention;
using Concertina.Compute.Attention.Lanes;
using Concertina.Compute.KvCache;
using Concertina.Compute.Model;
using Concertina.Compute.Threading;

namespace Concertina.Compute.Tests.Attention;

public sealed class PagedAttentionTests
{
    [Theory]
    [InlineData(64, 1, "f16")]
    [InlineData(64, 2, "f16")]
    [InlineData(48, 3, "f16")]
    [InlineData(16, 5, "f16")]
    [InlineData(128, 4, "f16")]
    [InlineData(64, 4, "f32")]
    public void Output_agrees_with_softmax_attention_in_double(int headDim, int groupSize, string codec)
    {
        using var sequences = new Sequences(new KvShape(2, 2, groupSize, headDim), codec);
        Sequences.Rows rows = sequences.NewRows(1030, seed: headDim + groupSize);
        PageTable table = sequences.Filled(rows);

        float[] outputs = new Step(sequences).Add(table, rows, 0, rows.Count).Run(layer: 1);

        foreach (int position in new[] { 0, 1, 62, 63, 64, 65, 500, 1023, 1024, 1029 })
        {
            AssertRow(sequences, rows, position, outputs.AsSpan(position * sequences.QueryWidth, sequences.QueryWidth), codec == "f16");
        }
    }

    [Theory]
    [InlineData(50f)]
    [InlineData(1e-30f)]
    [InlineData(100_000f)]
    public void Sharp_flat_and_enormous_queries_agree_with_the_reference(float queryScale)
    {
        using var sequences = new Sequences(new KvShape(1, 1, 4, 64), queryScale: queryScale);
        Sequences.Rows rows = sequences.NewRows(200, seed: 3);
        PageTable table = sequences.Filled(rows);

        float[] alone = new Step(sequences).Add(table, rows, 199, 1).Run();
        float[] together = new Step(sequences).Add(table, rows, 150, 50).Run();

        // Scores of this size differ by their own rounding; the weights' exponents carry it.
        double tolerance = 1e-5 + (queryScale * 8e-7);
        if (queryScale < 1000)
        {
            AssertRow(sequences, rows, 199, alone, rounded: true, tolerance);
        }
        Assert.All(alone, value => Assert.True(float.IsFinite(value)));
        Assert.Equal(Bits(together.AsSpan(49 * sequences.QueryWidth)), Bits(alone));
    }

    [Theory]
    [InlineData(64, 4, 1)]
    [InlineData(48, 3, 2)]
    [InlineData(16, 1, 3)]
    public void Any_chunking_path_thread_count_and_order_gives_the_same_bits(int headDim, int groupSize, int seed)
    {
        using var sequences = new Sequences(new KvShape(1, 2, groupSize, headDim), queryScale: 3f);
        Sequences.Rows rows = sequences.NewRows(1100, seed);
        PageTable table = sequences.Filled(rows);
        float[] whole = new Step(sequences).Add(table, rows, 0, rows.Count).Run();

        var random = new Random(seed);
        for (int position = 0; position < rows.Count; position += random.Next(100, 300))
        {
            int count = Math.Min(random.Next(1, 8), rows.Count - position);
            foreach (VectorPath path in Enum.GetValues<VectorPath>().Where(VectorPaths.IsSupported))
            {
                float[] part = new Step(sequences, path, random.Next(1, 4)).Add(table, rows, position, count).Run(random);
                Assert.Equal(Bits(whole.AsSpan(position * sequences.QueryWidth, count * sequences.QueryWidth)), Bits(part));
            }
        }
    }

    [Fact]
    public void A_sequence_gets_the_same_bits_whoever_shares_its_step()
    {
        using var sequences = new Sequences(new KvShape(2, 2, 3, 32));
        Sequences.Rows[] rows = [.. Enumerable.Range(0, 6).Select(seed => sequences.NewRows(40 + (seed * 70), seed))];
        PageTable[] tables = [.. rows.Select(sequences.Filled)];
        var batch = new Step(sequences, workerCount: 3);
        for (int i = 0; i < rows.Length; i++)
        {
            batch.Add(tables[i], rows[i], rows[i].Count - 1 - i, 1 + i);
        }

        float[] together = batch.Run(new Random(1), layer: 1);

        int at = 0;
        for (int i = 0; i < rows.Length; i++)
        {
            float[] alone = new Step(sequences).Add(tables[i], rows[i], rows[i].Count - 1 - i, 1 + i).Run(layer: 1);
            Assert.Equal(Bits(alone), Bits(together.AsSpan(at, alone.Length)));
            at += alone.Length;
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    public void Slots_beyond_a_rows_position_do_not_matter_even_when_they_hold_nan(int rowCount)
    {
        using var sequences = new Sequences(new KvShape(1, 1, 2, 64));
        Sequences.Rows rows = sequences.NewRows(128, seed: 9);
        float[] clean = new Step(sequences).Add(sequences.Filled(rows), rows, 70, rowCount).Run();
        for (int i = (70 + rowCount) * sequences.KeyWidth; i < rows.Keys.Length; i++)
        {
            rows.Keys[i] = float.NaN;
            rows.Values[i] = i % 2 == 0 ? float.NaN : float.PositiveInfinity;
        }

        float[] poisoned = new Step(sequences).Add(sequences.Filled(rows), rows, 70, rowCount).Run();

        Assert.Equal(Bits(clean), Bits(poisoned));
    }

    [Fact]
    public void A_later_row_of_a_block_with_infinite_values_does_not_touch_earlier_rows()
    {
        using var sequences = new Sequences(new KvShape(1, 1, 4, 64));
        Sequences.Rows rows = sequences.NewRows(100, seed: 10);
        float[] clean = new Step(sequences).Add(sequences.Filled(rows), rows, 64, 36).Run();
        Array.Fill(rows.Values, float.PositiveInfinity, 90 * sequences.KeyWidth, 10 * sequences.KeyWidth);
        Array.Fill(rows.Keys, float.NegativeInfinity, 90 * sequences.KeyWidth, 10 * sequences.KeyWidth);

        float[] poisoned = new Step(sequences).Add(sequences.Filled(rows), rows, 64, 36).Run();

        int clear = 26 * sequences.QueryWidth;
        Assert.Equal(Bits(clean.AsSpan(0, clear)), Bits(poisoned.AsSpan(0, clear)));
        Assert.Contains(poisoned.AsSpan(clear).ToArray(), value => !float.IsFinite(value));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void A_visible_value_that_is_not_finite_is_never_hidden(float bad)
    {
        using var sequences = new Sequences(new KvShape(1, 1, 1, 64));
        Sequences.Rows rows = sequences.NewRows(80, seed: 4);
        rows.Values[(10 * 64) + 3] = bad;
        PageTable table = sequences.Filled(rows);

        float[] alone = new Step(sequences).Add(table, rows, 79, 1).Run();
        float[] together = new Step(sequences).Add(table, rows, 60, 20).Run();

        Assert.False(float.IsFinite(alone[3]));
        Assert.False(float.IsFinite(together[(19 * 64) + 3]));
        Assert.True(float.IsFinite(alone[4]));
    }

    [Fact]
    public void A_nan_key_makes_the_rows_that_see_it_nan()
    {
        using var sequences = new Sequences(new KvShape(1, 1, 1, 64));
        Sequences.Rows rows = sequences.NewRows(80, seed: 4);
        rows.Keys[10 * 64] = float.NaN;

        float[] outputs = new Step(sequences).Add(sequences.Filled(rows), rows, 5, 70).Run();

        Assert.True(float.IsFinite(outputs[4 * 64]));
        Assert.True(float.IsNaN(outputs[5 * 64]));
    }

    [Fact]
    public void Attention_allocates_nothing_after_construction()
    {
        using var sequences = new Sequences(new KvShape(2, 2, 4, 64));
        Sequences.Rows rows = sequences.NewRows(1200, seed: 2);
        PageTable table = sequences.Filled(rows);
        PagedAttention attention = sequences.Attention(VectorPaths.Best, 2, 32);
        var batch = new StepBatch(32, 0, 1);
        batch.Add(table, 1168, new int[32], 0);
        float[] queries = new float[32 * sequences.QueryWidth];
        using var pool = new WorkPool(1);
        RunStep(attention, batch, pool, queries);

        long before = GC.GetAllocatedBytesForCurrentThread();
        RunStep(attention, batch, pool, queries);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Scratch_is_paid_from_the_budget()
    {
        using var sequences = new Sequences(new KvShape(1, 1, 1, 64), budgetBytes: 16L << 20);
        long before = sequences.Cache.UsedBytes;

        PagedAttention attention = sequences.Attention(VectorPaths.Best, 2, 256);

        Assert.True(attention.ScratchBytes > 256 * 64 * sizeof(float));
        Assert.Equal(attention.ScratchBytes, sequences.Cache.UsedBytes - before);
        Assert.Throws<ArgumentException>(() => new PagedAttention(sequences.Cache, 256, 1000));
    }

    private static void RunStep(PagedAttention attention, StepBatch batch, WorkPool pool, float[] queries)
    {
        attention.Plan(batch);
        for (int layer = 0; layer < 2; layer++)
        {
            attention.Begin(layer, queries, queries);
            pool.Run(attention, attention.ChunkCount);
            attention.Complete();
        }
    }

    private static void AssertRow(
        Sequences sequences, Sequences.Rows rows, int position, ReadOnlySpan<float> actual, bool rounded, double tolerance = 1e-5)
    {
        for (int head = 0; head < sequences.Shape.KvHeadCount * sequences.Shape.GroupSize; head++)
        {
            double[] expected = Reference.Attend(sequences, rows, position, head, rounded);
            double bound = tolerance * expected.Max(Math.Abs);
            for (int c = 0; c < expected.Length; c++)
            {
                Assert.InRange(actual[(head * expected.Length) + c] - expected[c], -bound, bound);
            }
        }
    }

    private static int[] Bits(ReadOnlySpan<float> values) => [.. values.ToArray().Select(BitConverter.SingleToInt32Bits)];
}
