using Concertina.Compute.Attention.Lanes;
using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Codecs;

namespace Concertina.Compute.Tests.KvCache.Codecs.Fourier;

/// <summary>Attention in the spectrum against attention over the decoded rows.</summary>
public sealed class FourierAttentionTests
{
    private const int HeadDim = 64;

    [Theory]
    [InlineData("fourier16", 4, 48, 32)]
    [InlineData("fourier8", 4, 48, 32)]
    [InlineData("fourier4", 8, 32, 64)]
    [InlineData("fourier4", 16, 48, 16)]
    [InlineData("fourier16", 4, 0, 32)]
    [InlineData("fourier16", 4, 64, 16)]
    public void Spectral_attention_equals_attention_over_decoded_rows_on_all_paths_and_block_sizes(
        string name, int pages, int compressed, int orders)
    {
        // Two segments in a run, so that the second finds what the first left.
        Segment[] segments = Segments(name, pages, compressed, orders, count: 2);
        int tokens = pages * KvShape.PageTokens;
        for (int rows = 1; rows <= 8; rows++)
        {
            foreach (int first in new[] { 20, tokens - 3, (2 * tokens) - 10 })
            {
                (float[], int[]) block = Rows(rows, first);
                float[] scalar = Segment.Attend(segments, block, VectorPath.Scalar);

                AssertNear(OverDecoded(segments, block), scalar, segments[0].Codec.AttendTolerance);
                foreach (VectorPath path in Enum.GetValues<VectorPath>().Where(VectorPaths.IsSupported))
                {
                    Assert.Equal(Bits(scalar), Bits(Segment.Attend(segments, block, path)));
                }
            }
        }
    }

    [Theory]
    [InlineData("fourier16")]
    [InlineData("fourier8")]
    [InlineData("fourier4")]
    public void A_row_gives_the_same_bits_among_any_number_of_rows(string name)
    {
        Segment[] segments = Segments(name, pages: 4, compressed: 48, orders: 32, count: 2);
        (float[] queries, int[] positions) = Rows(8, first: 250);

        float[] together = Segment.Attend(segments, (queries, positions), VectorPaths.Best);

        for (int row = 0; row < 8; row++)
        {
            float[] alone = Segment.Attend(
                segments, (queries[(row * HeadDim)..((row + 1) * HeadDim)], positions[row..(row + 1)]), VectorPaths.Best);
            Assert.Equal(Bits(together[(row * HeadDim)..((row + 1) * HeadDim)]), Bits(alone));
        }
    }

    [Fact]
    public void Attending_allocates_nothing()
    {
        foreach (string name in TestFourier.Names)
        {
            Segment segment = Segments(name, pages: 4, compressed: 48, orders: 32, count: 1)[0];

            Assert.Equal(0, segment.AllocatedByAttend(Rows(2, first: 255)));
            Assert.Equal(0, segment.AllocatedByAttend(Rows(8, first: 100)));
        }
    }

    // Of head 1, whose lists are not those of head 0.
    private static Segment[] Segments(string name, int pages, int compressed, int orders, int count)
    {
        IKvCodec codec = TestFourier.Get(name, TestFourier.Setup(pages, HeadDim, (compressed, orders), (compressed, orders)));
        int tokens = pages * KvShape.PageTokens;
        return [.. Enumerable.Range(0, count).Select(i => new Segment(
            codec, HeadDim, (TestFourier.Signal(tokens, HeadDim, i), TestFourier.Signal(tokens, HeadDim, i + 50)), i * tokens, head: 1))];
    }

    private static (float[] Queries, int[] Positions) Rows(int count, int first)
    {
        var random = new Random(count);
        return (
            [.. Enumerable.Range(0, count * HeadDim).Select(_ => random.NextSingle() - 0.5f)],
            [.. Enumerable.Range(0, count).Select(row => first + row)]);
    }

    private static float[] OverDecoded(Segment[] segments, (float[] Queries, int[] Positions) rows) => Page.Attend(
        [.. segments.SelectMany(segment => Enumerable.Range(0, segment.Codec.PageCount).Select(page => new Page(
            CodecCatalog.Find("f32")!,
            HeadDim,
            segment.Decode(KvSide.Keys, page),
            segment.Decode(KvSide.Values, page),
            start: segment.Start + (page * KvShape.PageTokens))))],
        rows.Queries,
        rows.Positions,
        VectorPath.Scalar);

    private static void AssertNear(float[] expected, float[] actual, float share)
    {
        float bound = share * expected.Max(MathF.Abs);
        Assert.All(expected.Zip(actual), pair => Assert.InRange(pair.Second - pair.First, -bound, bound));
    }

    private static int[] Bits(float[] values) => [.. values.Select(BitConverter.SingleToInt32Bits)];
}
