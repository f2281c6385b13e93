using Concertina.Compute.Attention.Lanes;
using Concertina.Compute.KvCache;

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
        Sequences.Rows rows = sequences.NewRows(1200, seed: headDim + groupSize);
        PageTable table = sequences.Filled(rows);

        float[] outputs = new Step(sequences).Add(table, rows, 0, rows.Count).Run(layer: 1);

        foreach (int position in new[] { 0, 1, 62, 63, 64, 65, 500, 1023, 1024, 1199 })
        {
            AssertRow(sequences, rows, position, outputs.AsSpan(position * sequences.QueryWidth, sequences.QueryWidth), codec == "f16");
        }
    }

    [Theory]
    [InlineData(64, 4)]
    [InlineData(48, 3)]
    [InlineData(128, 1)]
    public void Decoding_one_by_one_equals_any_chunking_any_path_and_any_thread_count_bit_by_bit(int headDim, int groupSize)
    {
        using var sequences = new Sequences(new KvShape(1, 2, groupSize, headDim), queryScale: 3f);
        Sequences.Rows rows = sequences.NewRows(1100, seed: 7);
        PageTable table = sequences.Filled(rows);
        float[] whole = new Step(sequences).Add(table, rows, 0, rows.Count).Run();

        var random = new Random(11);
        for (int position = 0; position < rows.Count; position += random.Next(1, 40))
        {
            int count = Math.Min(random.Next(1, 8), rows.Count - position);
            foreach (VectorPath path in Enum.GetValues<VectorPath>().Where(VectorPaths.IsSupported))
            {
                float[] part = new Step(sequences, path, workerCount: random.Next(1, 5)).Add(table, rows, position, count).Run(random);
                Assert.Equal(
                    Bits(whole.AsSpan(position * sequences.QueryWidth, count * sequences.QueryWidth)), Bits(part));
            }
        }
    }

    private static void AssertRow(Sequences sequences, Sequences.Rows rows, int position, ReadOnlySpan<float> actual, bool rounded)
    {
        for (int head = 0; head < sequences.Shape.KvHeadCount * sequences.Shape.GroupSize; head++)
        {
            double[] expected = Reference.Attend(sequences, rows, position, head, rounded);
            double scale = expected.Max(Math.Abs);
            for (int c = 0; c < expected.Length; c++)
            {
                Assert.InRange(actual[(head * expected.Length) + c] - expected[c], -1e-5 * scale, 1e-5 * scale);
            }
        }
    }

    private static int[] Bits(ReadOnlySpan<float> values) => [.. values.ToArray().Select(BitConverter.SingleToInt32Bits)];
}
