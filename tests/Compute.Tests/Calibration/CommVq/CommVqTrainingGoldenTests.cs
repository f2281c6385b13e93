using System.Text.Json.Nodes;
using Concertina.Compute.Calibration.CommVq;
using Concertina.Compute.KvCache.Codecs.CommVq.Encoding;
using Concertina.Compute.Tests.KvCache.Codecs.CommVq;

namespace Concertina.Compute.Tests.Calibration.CommVq;

/// <summary>E and M steps of the reference.</summary>
public sealed class CommVqTrainingGoldenTests
{
    private const int Width = 64;

    [Fact]
    public void Hard_iterations_are_those_of_the_reference()
    {
        Golden golden = new("em_hard");
        TrainingVectors vectors = Vectors(Golden.Floats(golden.Inputs["t"]!), 6);
        PairTables tables = Tables(Golden.Floats(golden.Inputs["z"]!), 8, 6);
        var stage = new PairStage(8, 8, Width);
        var expectation = new PairExpectation(stage);
        var sums = new PairSums(tables);
        foreach (JsonNode? step in golden.Expected["steps"]!.AsArray())
        {
            stage.Load(tables.First, tables.Second);
            expectation.Run(vectors, 0, sums);
            PairMaximisation.Run(sums, tables);

            Assert.Equal(Golden.Integers(step!["pair"]!), vectors.Codes);
            double loss = step["loss"]!.GetValue<double>();
            Assert.InRange(sums.Loss, loss * (1 - 1e-5), loss * (1 + 1e-5));
            Golden.AssertNear(Golden.Floats(step["z_new"]!), Compact(tables.First, 8, 6), 1e-4);
        }
    }

    [Fact]
    public void A_soft_iteration_is_that_of_the_reference()
    {
        Golden golden = new("em_soft");
        TrainingVectors vectors = Vectors(Golden.Floats(golden.Inputs["t"]!), 4);
        PairTables tables = Tables(Golden.Floats(golden.Inputs["z"]!), 4, 4);
        var stage = new PairStage(4, 4, Width);
        stage.Load(tables.First, tables.Second);
        var expectation = new PairExpectation(stage);
        var sums = new PairSums(tables);
        float[] weights = new float[vectors.Count * 16];
        float[] dots = new float[Projection.Rows * stage.DotCount];
        for (int row = 0; row < vectors.Count; row += Projection.Rows)
        {
            stage.Project(vectors.Rows(row), dots);
            for (int i = 0; i < Projection.Rows; i++)
            {
                expectation.Weights(dots.AsSpan(i * stage.DotCount, stage.DotCount), vectors.Squared[row + i], 0.05f, weights.AsSpan((row + i) * 16, 16));
            }
        }

        expectation.Run(vectors, 0.05f, sums);
        PairMaximisation.Run(sums, tables);

        Golden.AssertNear(Golden.Floats(golden.Expected["w"]!), weights, 1e-4);
        Golden.AssertNear(Golden.Floats(golden.Expected["n_ab"]!), [.. sums.Counts.Select(count => (float)count)], 1e-5);
        double[] matrix = PairMaximisation.TiedMatrix(sums, 4);
        Golden.AssertNear(Golden.Floats(golden.Expected["g_real"]!), Block(matrix, 0), 1e-5);
        Golden.AssertNear(Golden.Floats(golden.Expected["g_imag"]!), Block(matrix, 4 * 8), 1e-5);
        double[] sides = PairMaximisation.TiedSides(sums, 4, Width);
        Golden.AssertNear(Golden.Floats(golden.Expected["rhs"]!), Sides(sides), 1e-5);
        Golden.AssertNear(Golden.Floats(golden.Expected["z_new"]!), Compact(tables.First, 4, 4), 1e-4);
    }

    private static float[] Block(double[] matrix, int from) =>
        [.. Enumerable.Range(0, 16).Select(at => (float)matrix[from + (at / 4 * 8) + (at % 4)])];

    // [2 levels, pairs] with padding to [levels, real and imaginary parts].
    private static float[] Sides(double[] sides) => [.. Enumerable.Range(0, 4).SelectMany(level =>
        Enumerable.Range(0, 8).Select(at => (float)sides[((level + (at / 4 * 4)) * (Width / 2)) + (at % 4)]))];

    private static TrainingVectors Vectors(float[] rows, int pairs)
    {
        var vectors = new TrainingVectors(rows.Length / (2 * pairs), Width);
        for (int row = 0; row < vectors.Count; row++)
        {
            Spread(rows.AsSpan(row * 2 * pairs, 2 * pairs), vectors.Row(row));
        }
        vectors.Measure();
        return vectors;
    }

    private static PairTables Tables(float[] rows, int levels, int pairs)
    {
        PairTables tables = PairTables.Zero(PairKind.Tied, levels, Width);
        for (int level = 0; level < levels; level++)
        {
            Spread(rows.AsSpan(level * 2 * pairs, 2 * pairs), tables.First.AsSpan(level * Width, Width));
        }
        tables.Tie();
        return tables;
    }

    private static void Spread(ReadOnlySpan<float> row, Span<float> split)
    {
        row[..(row.Length / 2)].CopyTo(split);
        row[(row.Length / 2)..].CopyTo(split[(Width / 2)..]);
    }

    private static float[] Compact(float[] table, int levels, int pairs) => [.. Enumerable.Range(0, levels).SelectMany(level =>
        table[(level * Width)..((level * Width) + pairs)].Concat(table[((level * Width) + (Width / 2))..((level * Width) + (Width / 2) + pairs)]))];
}
