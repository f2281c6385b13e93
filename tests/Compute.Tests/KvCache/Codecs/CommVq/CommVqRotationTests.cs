using System.Numerics;
using Concertina.Compute.KvCache.Codecs.CommVq;
using Concertina.Compute.KvCache.Codecs.CommVq.Books;

namespace Concertina.Compute.Tests.KvCache.Codecs.CommVq;

/// <summary>Why RoPE may be moved past the codebook, and that the angle table turns as the model does.</summary>
public sealed class CommVqRotationTests
{
    private static readonly int[] Positions = [0, 1, 63, 64, 4095, 131_071];

    [Theory]
    [InlineData(1e4)]
    [InlineData(5e5)]
    [InlineData(1e6)]
    public void Blocks_of_keys_commute_with_the_rotation_and_other_blocks_do_not(double ropeBase)
    {
        var random = new Random(1);
        double generic = 0;
        foreach (int position in Positions)
        {
            for (int pair = 0; pair < 32; pair++)
            {
                double angle = position * Math.Pow(ropeBase, -2.0 * pair / 64);
                float[] turn = [(float)Math.Cos(angle), -(float)Math.Sin(angle), (float)Math.Sin(angle), (float)Math.Cos(angle)];
                float x = (float)random.NextDouble(), y = (float)random.NextDouble();
                float[] block = [x, y, -y, x];
                float[] other = [x, y, y, x + 1];
                Assert.All(Product(turn, block).Zip(Product(block, turn)), pair => Assert.InRange(pair.First - pair.Second, -1e-5f, 1e-5f));
                generic = Math.Max(generic, Product(turn, other).Zip(Product(other, turn)).Max(pair => Math.Abs(pair.First - pair.Second)));
            }
        }
        Assert.InRange(generic, 0.5, 10);
    }

    [Fact]
    public void Turning_a_sum_equals_the_sum_of_turned_codewords()
    {
        KeyBook book = Golden.Book();
        var table = new AngleTable(Frequencies(5e5), 64, 131_072);
        (int[] codes, double[] norms, _) = KeySearch.Encode(book, Golden.Tokens(), beam: 1);
        foreach (int position in Positions)
        {
            float[] rows = [.. book.Rows.ToArray()];
            float[] mean = new float[64];
            PairLayout.Split(book.Mean.Span, mean);
            table.TurnForward(position, mean);
            for (int row = 0; row < rows.Length; row += 64)
            {
                table.TurnForward(position, rows.AsSpan(row, 64));
            }
            float[] turnedMean = new float[64];
            PairLayout.Join(mean, turnedMean);
            var turnedBook = new KeyBook(book.Layout, rows, null, turnedMean);

            Golden.AssertNear(Turned(table, position, KeySearch.Decode(book, codes, norms)), KeySearch.Decode(turnedBook, codes, norms), 1e-5);
        }
    }

    [Fact]
    public void The_table_turns_like_angles_in_double_and_back()
    {
        double[] frequencies = Frequencies(5e5);
        var table = new AngleTable(frequencies.AsSpan(0, 20), 64, 131_072);
        float[] row = KeySearch.Synthetic(1, 64, seed: 4);
        foreach (int position in Positions)
        {
            float[] split = new float[64];
            PairLayout.Split(row, split);
            table.TurnForward(position, split);
            for (int pair = 0; pair < 32; pair++)
            {
                Complex expected = new Complex(row[2 * pair], row[(2 * pair) + 1])
                    * Complex.FromPolarCoordinates(1, pair < 20 ? position * frequencies[pair] : 0);
                Assert.InRange(split[pair], expected.Real - 2e-6, expected.Real + 2e-6);
                Assert.InRange(split[32 + pair], expected.Imaginary - 2e-6, expected.Imaginary + 2e-6);
            }
            table.TurnBack(position, split);
            float[] back = new float[64];
            PairLayout.Join(split, back);
            Golden.AssertNear(row, back, 1e-6);
        }
    }

    [Fact]
    public void Positions_outside_the_table_are_refused()
    {
        var table = new AngleTable(Frequencies(1e4), 64, 100);

        table.TurnBack(127, new float[64]);
        Assert.Throws<ArgumentOutOfRangeException>(() => table.TurnBack(128, new float[64]));
        Assert.Throws<ArgumentOutOfRangeException>(() => table.TurnForward(-1, new float[64]));
    }

    [Theory]
    [InlineData("r8", 8, 0)]
    [InlineData("r4", 4, 0)]
    [InlineData("shifted", 8, 1000)]
    public void Scores_are_those_of_the_reference_in_either_order_of_evaluation(string name, int stages, int shift)
    {
        Golden golden = new("scores");
        Golden greedy = new("encode_greedy_r8");
        int[] positions = Golden.Integers(golden.Inputs["positions"]!);
        float[] queries = Golden.Interleave(Golden.Floats(golden.Inputs["q"]!), 64);
        double[] norms = [.. Golden.Integers(greedy.Expected["scale_f16_bits"]!).Select(bits => (double)BitConverter.UInt16BitsToHalf((ushort)bits))];
        int[] codes = [.. Golden.Integers(greedy.Expected["a"]!).Zip(Golden.Integers(greedy.Expected["b"]!), (a, b) => (a * 16) + b).Take(stages * 128)];
        KeyBook book = Golden.Book(stages);
        var table = new AngleTable(Frequencies(5e5), 64, 140_000);
        float[] keys = KeySearch.Decode(book, codes, norms);
        float[] pathK = new float[4 * 128];
        float[] pathQ = new float[4 * 128];
        for (int token = 0; token < 128; token++)
        {
            float[] key = Turned(table, positions[token] + shift, keys[(token * 64)..((token + 1) * 64)]);
            for (int query = 0; query < 4; query++)
            {
                ReadOnlySpan<float> q = queries.AsSpan(query * 64, 64);
                pathK[(query * 128) + token] = Dot(q, key) / 8;
                pathQ[(query * 128) + token] = (float)PathQ(book, q, (token, codes, norms[token]), positions[token] + shift) / 8;
            }
        }
        float[] expected = Golden.Floats(golden.Expected[name]!);

        Golden.AssertNear(expected, pathK, 1e-5);
        Golden.AssertNear(expected, pathQ, 1e-5);
    }

    // The paper's order: query times codewords first, then the sum, then the rotation.
    private static double PathQ(KeyBook book, ReadOnlySpan<float> query, (int Index, int[] Codes, double Norm) token, int position)
    {
        ReadOnlySpan<float> z = book.Rows.Span;
        double score = 0;
        for (int pair = 0; pair < 32; pair++)
        {
            Complex conjugate = Complex.Conjugate(new Complex(query[2 * pair], query[(2 * pair) + 1]));
            Complex sum = 0;
            for (int stage = 0; stage < book.Layout.Stages; stage++)
            {
                int code = token.Codes[(stage * 128) + token.Index];
                int a = (stage * 1024) + (code / 16 * 64) + pair;
                int b = (stage * 1024) + (code % 16 * 64) + pair;
                sum += conjugate * new Complex(z[a], z[a + 32]);
                sum += Complex.ImaginaryOne * (conjugate * new Complex(z[b], z[b + 32]));
            }
            sum = (token.Norm * sum) + (conjugate * new Complex(book.Mean.Span[2 * pair], book.Mean.Span[(2 * pair) + 1]));
            score += (Complex.FromPolarCoordinates(1, position * Math.Pow(5e5, -2.0 * pair / 64)) * sum).Real;
        }
        return score;
    }

    private static float[] Turned(AngleTable table, int position, float[] rows)
    {
        float[] turned = new float[rows.Length];
        float[] split = new float[64];
        for (int row = 0; row < rows.Length; row += 64)
        {
            PairLayout.Split(rows.AsSpan(row, 64), split);
            table.TurnForward(position, split);
            PairLayout.Join(split, turned.AsSpan(row, 64));
        }
        return turned;
    }

    private static float Dot(ReadOnlySpan<float> left, ReadOnlySpan<float> right)
    {
        double sum = 0;
        for (int i = 0; i < left.Length; i++)
        {
            sum += (double)left[i] * right[i];
        }
        return (float)sum;
    }

    private static double[] Frequencies(double ropeBase) => [.. Enumerable.Range(0, 32).Select(pair => Math.Pow(ropeBase, -2.0 * pair / 64))];

    private static float[] Product(float[] left, float[] right) =>
    [
        (left[0] * right[0]) + (left[1] * right[2]), (left[0] * right[1]) + (left[1] * right[3]),
        (left[2] * right[0]) + (left[3] * right[2]), (left[2] * right[1]) + (left[3] * right[3]),
    ];
}
