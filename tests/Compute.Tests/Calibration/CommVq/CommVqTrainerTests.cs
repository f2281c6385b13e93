using Concertina.Compute.Calibration.CommVq;
using Concertina.Compute.KvCache.Codecs.CommVq;
using Concertina.Compute.KvCache.Codecs.CommVq.Books;
using Concertina.Compute.KvCache.Codecs.CommVq.Encoding;
using Concertina.Compute.Tests.KvCache.Codecs.CommVq;

namespace Concertina.Compute.Tests.Calibration.CommVq;

/// <summary>Training only gains, is repeatable, and its closed forms are minima.</summary>
public sealed class CommVqTrainerTests
{
    private const int HeadDim = 32;

    private static readonly CommVqTraining Plan = new() { Shape = new CommVqShape(16, 4, 16, 4), HardIterations = 6, SoftIterations = 4 };

    [Theory]
    [InlineData((int)PairKind.Tied)]
    [InlineData((int)PairKind.Free)]
    [InlineData((int)PairKind.Single)]
    public void Hard_iterations_never_lose(int kind)
    {
        TrainingVectors vectors = Vectors(600, 1);
        PairTables tables = PairTables.Zero((PairKind)kind, 8, 64);
        for (int level = 0; level < 8; level++)
        {
            vectors.Row(level * 70).CopyTo(tables.First.AsSpan(level * 64 % tables.First.Length));
            vectors.Row((level * 70) + 3).CopyTo(tables.Second.AsSpan(level * 64));
        }
        if ((PairKind)kind == PairKind.Single)
        {
            tables.First.AsSpan().Clear();
        }
        tables.Tie();
        var stage = new PairStage(tables.FirstLevels, tables.SecondLevels, 64);
        var expectation = new PairExpectation(stage);
        var sums = new PairSums(tables);
        double before = double.PositiveInfinity;
        for (int iteration = 0; iteration < 8; iteration++)
        {
            stage.Load(tables.First, tables.Second);
            expectation.Run(vectors, 0, sums);
            Assert.InRange(sums.Loss, 0, before * (1 + 1e-6));
            before = sums.Loss;
            PairMaximisation.Run(sums, tables);
        }
    }

    [Fact]
    public void The_compact_system_is_the_dense_least_squares_solution()
    {
        const int Levels = 4;
        TrainingVectors vectors = Vectors(80, 2);
        PairTables tables = PairTables.Zero(PairKind.Tied, Levels, 64);
        for (int level = 0; level < Levels; level++)
        {
            PairRepair.HalfTurn(vectors.Row(level * 17), tables.First.AsSpan(level * 64, 64));
        }
        tables.Tie();
        var stage = new PairStage(Levels, Levels, 64);
        stage.Load(tables.First, tables.Second);
        var sums = new PairSums(tables);
        new PairExpectation(stage).Run(vectors, 0, sums);
        double[] matrix = PairMaximisation.TiedMatrix(sums, Levels);
        double[] sides = PairMaximisation.TiedSides(sums, Levels, 64);
        // One row per equation: the real part of a + i b is Re a - Im b, the imaginary part Im a + Re b.
        double[] dense = new double[64];
        double[] denseSides = new double[8 * 32];
        for (int vector = 0; vector < vectors.Count; vector++)
        {
            int a = vectors.Codes[vector] / Levels, b = vectors.Codes[vector] % Levels;
            foreach ((int plus, int other, int sign, int part) in new[] { (a, Levels + b, -1, 0), (Levels + a, b, 1, 32) })
            {
                double[] row = new double[8];
                row[plus] += 1;
                row[other] += sign;
                for (int i = 0; i < 64; i++)
                {
                    dense[i] += row[i / 8] * row[i % 8];
                }
                for (int i = 0; i < denseSides.Length; i++)
                {
                    denseSides[i] += row[i / 32] * vectors.Row(vector)[part + (i % 32)];
                }
            }
        }
        for (int i = 0; i < 8; i++)
        {
            matrix[(i * 8) + i] += PairMaximisation.Ridge;
            dense[(i * 8) + i] += PairMaximisation.Ridge;
        }

        Assert.True(SymmetricSystem.TrySolve(matrix, 8, sides));
        double[] solved = Eliminate(dense, denseSides, 8);

        Assert.All(sides.Zip(solved), pair => Assert.InRange(pair.First - pair.Second, -1e-6, 1e-6));
    }

    [Fact]
    public void A_symmetric_system_is_solved_and_an_indefinite_one_refused()
    {
        double[] sides = [1, 2, 3, 4, 5, 6];

        Assert.True(SymmetricSystem.TrySolve([4, 0, 0, 1, 3, 0, 0.5, -1, 2], 3, sides));

        double[] full = [4, 1, 0.5, 1, 3, -1, 0.5, -1, 2];
        double[] right = [1, 2, 3, 4, 5, 6];
        for (int i = 0; i < 6; i++)
        {
            double product = Enumerable.Range(0, 3).Sum(k => full[(i / 2 * 3) + k] * sides[(k * 2) + (i % 2)]);
            Assert.InRange(product - right[i], -1e-12, 1e-12);
        }
        Assert.False(SymmetricSystem.TrySolve([1, 0, 2, 1], 2, [1, 1]));
    }

    [Fact]
    public void Codewords_that_nothing_uses_get_the_worst_vectors()
    {
        foreach (PairKind kind in Enum.GetValues<PairKind>())
        {
            TrainingVectors vectors = Vectors(64, 3);
            PairTables tables = PairTables.Zero(kind, 4, 64);
            // All codewords but one lie far away, so that one pair serves all.
            tables.First.AsSpan(0, tables.First.Length).Fill(kind == PairKind.Single ? 0 : 50);
            tables.First.AsSpan(0, 64).Clear();
            tables.Second.AsSpan().Fill(-70);
            tables.Second.AsSpan(0, 64).Clear();
            tables.Tie();
            var stage = new PairStage(tables.FirstLevels, 4, 64);
            stage.Load(tables.First, tables.Second);
            var sums = new PairSums(tables);
            new PairExpectation(stage).Run(vectors, 0, sums);
            PairMaximisation.Run(sums, tables);
            double before = sums.Loss;
            int worst = Array.IndexOf(vectors.Costs, vectors.Costs.Max());

            Assert.Equal(kind == PairKind.Free ? 6 : 3, PairRepair.Run(sums, tables, vectors));

            stage.Load(tables.First, tables.Second);
            new PairExpectation(stage).Run(vectors, 0, sums);
            Assert.InRange(sums.Loss, 0, before);
            // The worst vector, of a squared norm near 100, is now met exactly.
            Assert.InRange(vectors.Costs[worst], -1e-2, 1e-2);
        }
    }

    [Fact]
    public void Losses_fall_from_stage_to_stage_and_are_those_of_greedy_codes()
    {
        List<CommVqProgress> progress = [];
        float[] keys = KeySearch.Synthetic(900, HeadDim, seed: 1);

        KeyBook book = new CommVqTrainer(Plan, HeadDim, progress.Add).TrainKeys(keys, 0, CancellationToken.None);

        Assert.Equal([0, 1, 2, 3], progress.Select(entry => entry.Stage));
        Assert.All(progress.Zip(progress.Skip(1)), pair => Assert.InRange(pair.Second.Loss, 0, pair.First.Loss));
        double loss = KeySearch.Encode(book, keys, beam: 1).Squared.Average();
        Assert.InRange(progress[^1].Loss, loss - 1e-4, loss + 1e-4);
        Assert.All(book.Rows.ToArray(), value => Assert.Equal(value, (float)(Half)value));
    }

    [Fact]
    public void A_free_second_table_and_soft_iterations_do_not_lose()
    {
        float[] keys = KeySearch.Synthetic(900, HeadDim, seed: 1);

        double Loss(CommVqTraining plan) =>
            KeySearch.Encode(new CommVqTrainer(plan, HeadDim).TrainKeys(keys, 0, CancellationToken.None), keys, beam: 1).Squared.Average();

        double tied = Loss(Plan with { SoftIterations = 0 });
        Assert.InRange(Loss(Plan with { Arm = CommVqArm.All[0] }), 0, tied);
        Assert.InRange(Loss(Plan with { SoftIterations = 8 }), 0, tied * 1.01);
    }

    [Fact]
    public void Books_depend_on_seed_and_data_and_not_on_threads()
    {
        HeadSample[] samples = [.. Enumerable.Range(1, 3).Select(head => new HeadSample(KeySearch.Synthetic(300, HeadDim, head), KeySearch.Synthetic(300, HeadDim, head + 5)))];

        CommVqBooks Train(CommVqTraining plan) => new CommVqTrainer(plan, HeadDim).Train(samples, CancellationToken.None);

        CommVqBooks one = Train(Plan);
        Assert.Equal(one.Version, Train(Plan with { Threads = 2 }).Version);
        Assert.Equal(one.Version, Train(Plan with { Threads = 5 }).Version);
        Assert.NotEqual(one.Version, Train(Plan with { Seed = 2 }).Version);
    }

    [Fact]
    public void Training_stops_when_cancelled_and_refuses_what_it_cannot_learn_from()
    {
        var trainer = new CommVqTrainer(Plan, HeadDim);
        HeadSample good = new(KeySearch.Synthetic(50, HeadDim, 1), KeySearch.Synthetic(50, HeadDim, 2));
        float[] poisoned = good.Values.ToArray();
        poisoned[40] = float.NaN;

        Assert.ThrowsAny<OperationCanceledException>(() => trainer.Train([good], new CancellationToken(canceled: true)));
        Assert.Contains("NaN", Assert.Throws<ArgumentException>(() => trainer.Train([good with { Values = poisoned }], CancellationToken.None)).Message);
        Assert.Throws<ArgumentException>(() => trainer.Train([good with { Keys = default }], CancellationToken.None));
        Assert.Throws<ArgumentOutOfRangeException>(() => new CommVqTrainer(Plan with { Threads = 0 }, HeadDim));
    }

    [Fact]
    public void Few_or_equal_tokens_are_learned_by_heart()
    {
        float[] one = KeySearch.Synthetic(1, HeadDim, 1);
        float[] same = [.. Enumerable.Range(0, 40).SelectMany(_ => one)];
        float[] two = [.. one, .. KeySearch.Synthetic(1, HeadDim, 2)];
        foreach (float[] rows in new[] { one, same, two })
        {
            KeyBook book = new CommVqTrainer(Plan, HeadDim).TrainKeys(rows, 0, CancellationToken.None);

            Assert.All(KeySearch.Encode(book, rows, beam: 1).Squared, squared => Assert.InRange(squared, 0f, 1e-3f));
        }
    }

    private static TrainingVectors Vectors(int count, int seed)
    {
        float[] rows = KeySearch.Synthetic(count, 64, seed);
        var vectors = new TrainingVectors(count, 64);
        for (int row = 0; row < count; row++)
        {
            rows.AsSpan(row * 64, 64).CopyTo(vectors.Row(row));
        }
        vectors.Measure();
        return vectors;
    }

    // Gauss with the largest pivot.
    private static double[] Eliminate(double[] matrix, double[] sides, int size)
    {
        int columns = sides.Length / size;
        for (int pivot = 0; pivot < size; pivot++)
        {
            int best = Enumerable.Range(pivot, size - pivot).MaxBy(row => Math.Abs(matrix[(row * size) + pivot]));
            for (int i = 0; i < size; i++)
            {
                (matrix[(pivot * size) + i], matrix[(best * size) + i]) = (matrix[(best * size) + i], matrix[(pivot * size) + i]);
            }
            for (int i = 0; i < columns; i++)
            {
                (sides[(pivot * columns) + i], sides[(best * columns) + i]) = (sides[(best * columns) + i], sides[(pivot * columns) + i]);
            }
            foreach (int row in Enumerable.Range(0, size).Where(row => row != pivot))
            {
                double factor = matrix[(row * size) + pivot] / matrix[(pivot * size) + pivot];
                for (int i = 0; i < size; i++)
                {
                    matrix[(row * size) + i] -= factor * matrix[(pivot * size) + i];
                }
                for (int i = 0; i < columns; i++)
                {
                    sides[(row * columns) + i] -= factor * sides[(pivot * columns) + i];
                }
            }
        }
        return [.. sides.Select((side, at) => side / matrix[at / columns * (size + 1)])];
    }
}
