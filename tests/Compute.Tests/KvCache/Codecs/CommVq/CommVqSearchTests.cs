using Concertina.Compute.KvCache.Codecs.CommVq;
using Concertina.Compute.KvCache.Codecs.CommVq.Books;
using Concertina.Compute.KvCache.Codecs.CommVq.Encoding;
using Concertina.Compute.KvCache.Codecs.CommVq.Rows;

namespace Concertina.Compute.Tests.KvCache.Codecs.CommVq;

/// <summary>Search of codes against the plainest way to do it.</summary>
public sealed class CommVqSearchTests
{
    private static readonly int[] Beams = [1, 2, 4, 8, 16];

    [Theory]
    [InlineData(16, 16, 64)]
    [InlineData(64, 64, 64)]
    [InlineData(1, 256, 48)]
    [InlineData(4, 4, 32)]
    public void The_fast_nearest_pair_is_the_brute_force_one(int first, int second, int width)
    {
        var random = new Random(first + width);
        float[] a = first == 1 ? new float[width] : Draw(random, first * width, 0.5f);
        float[] b = Draw(random, second * width, 0.5f);
        var stage = new PairStage(first, second, width);
        stage.Load(a, b);
        float[] rows = Draw(random, 400 * width, 1f);
        float[] dots = new float[Projection.Rows * stage.DotCount];
        float[] costs = new float[stage.CostCount];
        for (int row = 0; row < 400; row++)
        {
            stage.Project(rows.AsSpan(row / 4 * 4 * width), dots);
            ReadOnlySpan<float> own = dots.AsSpan(row % 4 * stage.DotCount, stage.DotCount);
            ReadOnlySpan<float> vector = rows.AsSpan(row * width, width);
            float squared = (float)Distance(vector, new float[width], new float[width]);

            int code = stage.Nearest(own, squared, out float cost);

            double best = Enumerable.Range(0, first * second).Min(pair =>
                Distance(rows.AsSpan(row * width, width), a.AsSpan(pair / second * width, width), b.AsSpan(pair % second * width, width)));
            double found = Distance(vector, a.AsSpan(code / second * width, width), b.AsSpan(code % second * width, width));
            Assert.InRange(found, 0, best + 1e-4);
            Assert.InRange(cost, found - 1e-4, found + 1e-4);
            stage.Costs(own, squared, costs);
            Assert.Equal(code, Enumerable.Range(0, costs.Length).Where(at => costs[at] == cost).Select(stage.CodeOf).Min());
        }
    }

    [Fact]
    public void A_beam_is_no_worse_than_greedy_on_average_and_wider_is_better()
    {
        KeyBook book = TestCommVq.Trained(new CommVqShape(16, 16, 16, 4), 64).Keys[0];
        float[] keys = Unseen();

        double[] errors = [.. Beams.Select(beam => KeySearch.Encode(book, keys, beam).Squared.Average(error => (double)error))];

        Assert.All(errors.Zip(errors.Skip(1)), pair => Assert.InRange(pair.Second, 0, pair.First));
        Assert.InRange(errors[2], 0, errors[0] * 0.95);
    }

    [Fact]
    public void Stages_are_nested_for_greedy_codes_and_a_cut_beam_is_near_the_native_one()
    {
        KeyBook book = TestCommVq.Trained(new CommVqShape(16, 16, 16, 4), 64).Keys[0];
        float[] keys = Unseen();
        KeyBook half = book.Take(8);

        Assert.Equal(KeySearch.Encode(half, keys, beam: 1).Codes, KeySearch.Encode(book, keys, beam: 1).Codes[..(8 * 512)]);

        (int[] codes, double[] norms, _) = KeySearch.Encode(book, keys, beam: 4);
        double cut = Error(keys, KeySearch.Decode(half, codes[..(8 * 512)], norms));
        (codes, norms, _) = KeySearch.Encode(half, keys, beam: 4);
        double native = Error(keys, KeySearch.Decode(half, codes, norms));
        (codes, norms, _) = KeySearch.Encode(half, keys, beam: 1);
        double greedy = Error(keys, KeySearch.Decode(half, codes, norms));
        Assert.InRange(cut, native, native * 1.03);
        Assert.InRange(cut, 0, greedy);
    }

    [Fact]
    public void An_untied_book_is_searched_and_summed_with_its_own_second_table()
    {
        KeyBook tied = TestCommVq.Trained(new CommVqShape(16, 16, 16, 4), 64).Keys[0];
        float[] other = [.. tied.Rows.ToArray().Reverse()];
        var untied = new KeyBook(tied.Layout, tied.Rows.ToArray(), other, tied.Mean.ToArray());
        float[] keys = KeySearch.Synthetic(64, 64, seed: 1);

        (int[] codes, double[] norms, float[] squared) = KeySearch.Encode(untied, keys, beam: 4);

        Assert.False(untied.IsTied);
        float[] decoded = KeySearch.Decode(untied, codes, norms);
        for (int row = 0; row < 64; row++)
        {
            double error = Error(keys.AsSpan(row * 64, 64), decoded.AsSpan(row * 64, 64));
            Assert.InRange(squared[row] * norms[row] * norms[row], error - (1e-4 * norms[row]), error + (1e-4 * norms[row]));
        }
    }

    [Theory]
    [InlineData(6)]
    [InlineData(8)]
    [InlineData(12)]
    public void A_written_code_is_read_back_and_its_neighbours_stay(int bits)
    {
        var random = new Random(bits);
        byte[] plane = new byte[CodePlane.Bytes(bits) + 1];
        plane[^1] = 0xA5;
        int[] codes = [.. Enumerable.Range(0, 64).Select(_ => random.Next(1 << bits))];
        foreach (int slot in Enumerable.Range(0, 64).OrderBy(_ => random.Next()))
        {
            CodePlane.Write(plane, bits, slot, (1 << bits) - 1);
            CodePlane.Write(plane, bits, slot, codes[slot]);
        }

        Assert.Equal(codes, Enumerable.Range(0, 64).Select(slot => CodePlane.Read(plane, bits, slot)));
        Assert.Equal(0xA5, plane[^1]);
    }

    [Fact]
    public unsafe void Vector_transposition_equals_its_plain_twin()
    {
        float[] source = [.. Enumerable.Range(0, 8 * 24).Select(i => (float)i)];
        float[] plain = new float[8 * 16];
        float[] vectors = new float[8 * 16];
        fixed (float* from = source, left = plain, right = vectors)
        {
            Transposition.Plain(from + 8, 24, left + 3, 16);
            Transposition.Run(from + 8, 24, right + 3, 16);
        }

        Assert.Equal(plain, vectors);
        Assert.Equal(source[(5 * 24) + 8 + 2], plain[3 + (2 * 16) + 5]);
    }

    [Fact]
    public void Shapes_that_have_no_packing_are_refused_with_what_there_is()
    {
        float[] mean = new float[64];
        Assert.Contains("16, 64", Assert.Throws<ArgumentException>(() => new KeyBook(new BookLayout(24, 2, 64), new float[24 * 2 * 64], null, mean)).Message);
        Assert.Contains("16, 64, 256", Assert.Throws<ArgumentException>(() => new ValueBook(new BookLayout(32, 2, 64), new float[32 * 2 * 64], mean)).Message);
        Assert.Contains("even", Assert.Throws<ArgumentException>(() => new ValueBook(new BookLayout(16, 3, 64), new float[16 * 3 * 64], mean)).Message);
        Assert.Contains("finite", Assert.Throws<ArgumentException>(() => new KeyBook(new BookLayout(16, 1, 64), [.. Enumerable.Repeat(float.NaN, 16 * 64)], null, mean)).Message);
        Assert.Throws<ArgumentException>(() => new KeyBook(new BookLayout(16, 2, 64), new float[16 * 64], null, mean));
        Assert.Throws<ArgumentException>(() => new KeyBook(new BookLayout(16, 0, 64), [], null, mean));
    }

    [Theory]
    [InlineData(64, 16, 1_000, 16, 16)]
    [InlineData(64, 16, 100_000, 16, 64)]
    [InlineData(64, 16, 10_000_000, 64, 256)]
    [InlineData(128, 256, 1_000, 16, 16)]
    public void Larger_books_are_chosen_when_the_cache_holds_more_tokens(int headDim, int heads, long tokens, int keyLevels, int valueLevels)
    {
        var shape = CommVqShape.Choose(headDim, heads, tokens);

        Assert.Equal((keyLevels, valueLevels), (shape.KeyLevels, shape.ValueLevels));
        Assert.InRange(shape.PageBytes, 64 * headDim * 0.4, (64 * headDim / 2) + 128);
        double books = heads * (double)shape.BookBytes(headDim);
        Assert.True(shape.AllInBytes(headDim, heads, tokens) >= books);
        Assert.True((keyLevels, valueLevels) == (16, 16) || books * 9 <= shape.AllInBytes(headDim, heads, tokens) * 1.0001);
    }

    [Fact]
    public void Every_chosen_shape_can_be_halved_for_every_head_dimension()
    {
        foreach (int headDim in Enumerable.Range(1, 16).Select(step => step * 16))
        {
            foreach (long tokens in new[] { 0L, 100_000, 100_000_000 })
            {
                var shape = CommVqShape.Choose(headDim, 4, tokens);
                Assert.Equal(0, shape.KeyStages % 2);
                Assert.Equal(0, shape.ValueStages % (2 * shape.ValuePlaneStages));
                new BookLayout(shape.KeyLevels, shape.KeyStages, headDim).Require(BookLayout.KeyLevels);
                new BookLayout(shape.ValueLevels, shape.ValueStages, headDim).Require(BookLayout.ValueLevels);
            }
        }
    }

    // Of the distribution the books were trained on, but not the rows: 16 stages know 400 rows by heart.
    private static float[] Unseen() => KeySearch.Synthetic(912, 64, seed: 1)[(400 * 64)..];

    internal static double Error(ReadOnlySpan<float> rows, ReadOnlySpan<float> decoded)
    {
        double sum = 0;
        for (int i = 0; i < rows.Length; i++)
        {
            sum += Math.Pow(rows[i] - decoded[i], 2);
        }
        return sum;
    }

    private static double Distance(ReadOnlySpan<float> vector, ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double sum = 0;
        for (int i = 0; i < vector.Length; i++)
        {
            sum += Math.Pow((double)vector[i] - a[i] - b[i], 2);
        }
        return sum;
    }

    private static float[] Draw(Random random, int count, float scale) =>
        [.. Enumerable.Range(0, count).Select(_ => (((float)random.NextDouble() * 2) - 1) * scale)];
}
