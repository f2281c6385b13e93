using Concertina.Compute.Attention.Lanes;
using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Codecs;
using Concertina.Compute.KvCache.Codecs.XQuant;

namespace Concertina.Compute.Tests.KvCache.Codecs.XQuant;

/// <summary>Attention over layer pages of several heads and layers.</summary>
public sealed class XQuantAttentionTests
{
    private static readonly KvShape Shape = new(2, 2, 2, 48);

    [Theory]
    [InlineData("xq8", false)]
    [InlineData("xq4", false)]
    [InlineData("xq3", true)]
    [InlineData("xq2", true)]
    public void Absorbed_values_equal_attention_over_decoded_rows_on_all_paths_and_block_sizes(string name, bool bias)
    {
        LayerPage[] pages = Pages(TestXQuant.Get(name, Shape, bias), 3, layer: 1);
        foreach (int rows in new[] { 1, 2, 4, 7, 128 })
        {
            (float[], int[]) block = Rows(rows, firstPosition: 50);
            float[] scalar = LayerPage.Attend(pages, 1, block, VectorPath.Scalar).Outputs;

            AssertNear(OverDecoded(pages, 1, block, VectorPath.Scalar), scalar, XQuantCodecs.AttendTolerance);
            foreach (VectorPath path in Enum.GetValues<VectorPath>().Where(VectorPaths.IsSupported))
            {
                Assert.Equal(Bits(scalar), Bits(LayerPage.Attend(pages, 1, block, path).Outputs));
            }
        }
    }

    [Fact]
    public void A_row_gives_the_same_bits_in_a_block_of_2_and_of_128_and_the_sign_of_zero_stays_where_nothing_is_seen()
    {
        LayerPage[] pages = Pages(TestXQuant.Get("xq4", Shape, bias: true), 2, start: 64);
        (float[] queries, int[] positions) = Rows(128, firstPosition: 40);
        Attended together = LayerPage.Attend(pages, 0, (queries, positions), VectorPaths.Best);
        for (int row = 0; row < 128; row += 2)
        {
            Attended pair = LayerPage.Attend(
                pages, 0, (queries[(row * Shape.HeadDim)..((row + 2) * Shape.HeadDim)], positions[row..(row + 2)]), VectorPaths.Best);

            Assert.Equal(Bits(together.Values[(row * Shape.HeadDim)..((row + 2) * Shape.HeadDim)]), Bits(pair.Values));
            Assert.Equal(Bits(together.Sum[row..(row + 2)]), Bits(pair.Sum));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Runs_may_be_cut_anywhere(int run)
    {
        LayerPage[] pages = Pages(TestXQuant.Get("xq3", Shape), 5);
        (float[], int[]) block = Rows(6, firstPosition: 10, step: 60);

        float[] whole = LayerPage.Attend(pages, 0, block, VectorPaths.Best).Outputs;

        AssertNear(whole, LayerPage.Attend(pages, 0, block, VectorPaths.Best, run).Outputs, XQuantCodecs.AttendTolerance);
    }

    [Fact]
    public void Heads_and_layers_read_their_own_maps()
    {
        LayerPage[] first = Pages(TestXQuant.Get("xq8", Shape), 1, layer: 0);
        LayerPage[] second = Pages(TestXQuant.Get("xq8", Shape), 1, layer: 1);
        (float[], int[]) block = Rows(2, firstPosition: 63);

        // Another layer's or head's map would give other rows back.
        foreach (LayerPage page in (LayerPage[])[first[0], second[0]])
        {
            Assert.InRange(PageResidual.Of(TestXQuant.Uniform(64 * 2 * Shape.HeadDim, 0), page.Decode(KvSide.Keys)), 1e-4, 0.02);
            Assert.InRange(PageResidual.Of(TestXQuant.Uniform(64 * 2 * Shape.HeadDim, 50), page.Decode(KvSide.Values)), 1e-4, 0.02);
        }
        // Nearly the same attention, but of other latents.
        float[] one = LayerPage.Attend(first, 0, block, VectorPaths.Best).Outputs;
        float[] other = LayerPage.Attend(second, 0, block, VectorPaths.Best).Outputs;
        AssertNear(one, other, 0.05f);
        Assert.NotEqual(Bits(one), Bits(other));
    }

    [Fact]
    public void Attending_allocates_nothing()
    {
        LayerPage page = Pages(TestXQuant.Get("xq3", Shape, bias: true), 1)[0];

        Assert.Equal(0, page.AllocatedByAttend(1, Rows(2, firstPosition: 100)));
        Assert.Equal(0, page.AllocatedByAttend(1, Rows(128, firstPosition: 20)));
    }

    private static LayerPage[] Pages(IKvCodec codec, int count, int start = 0, int layer = 0) => [.. Enumerable.Range(0, count).Select(page => new LayerPage(
        codec,
        Shape,
        (TestXQuant.Uniform(64 * 2 * Shape.HeadDim, page), TestXQuant.Uniform(64 * 2 * Shape.HeadDim, page + 50)),
        start + (page * KvShape.PageTokens),
        layer: layer))];

    private static (float[] Queries, int[] Positions) Rows(int count, int firstPosition, int step = 1) => (
        TestXQuant.Uniform(count * Shape.HeadDim, count),
        [.. Enumerable.Range(0, count).Select(row => firstPosition + (row / 2 * step))]);

    // The same attention over 32-bit pages of what the codec decodes.
    private static float[] OverDecoded(LayerPage[] pages, int kvHead, (float[] Queries, int[] Positions) rows, VectorPath path) => Page.Attend(
        [.. pages.Select(page => new Page(
            CodecCatalog.Find("f32")!, Shape.HeadDim, page.Decode(KvSide.Keys, kvHead), page.Decode(KvSide.Values, kvHead), start: page.Start))],
        rows.Queries,
        rows.Positions,
        path);

    private static void AssertNear(float[] expected, float[] actual, float share)
    {
        float bound = share * expected.Max(MathF.Abs);
        Assert.All(expected.Zip(actual), pair => Assert.InRange(pair.Second - pair.First, -bound, bound));
    }

    private static int[] Bits(float[] values) => [.. values.Select(BitConverter.SingleToInt32Bits)];
}
