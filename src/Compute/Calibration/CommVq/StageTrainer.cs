using Concertina.Compute.KvCache.Codecs.CommVq.Encoding;

namespace Concertina.Compute.Calibration.CommVq;

/// <summary>
/// Expectation maximisation of one stage: hard from data, and once more with a falling temperature; the tables with the
/// smallest loss at nearest pairs win. Source: https://arxiv.org/abs/2506.18879, appendix; temperatures are relative to the
/// residual, which shrinks from stage to stage. One thread, deterministic by seed.
/// </summary>
internal sealed class StageTrainer
{
    private const double HottestShare = 0.01;
    private const double ColdestShare = 1e-4;
    private const double SmallestGain = 5e-4;

    private readonly CommVqTraining _plan;
    private readonly TrainingVectors _vectors;
    private readonly CancellationToken _cancellation;

    public StageTrainer(CommVqTraining plan, TrainingVectors vectors, CancellationToken cancellation)
    {
        _plan = plan;
        _vectors = vectors;
        _cancellation = cancellation;
    }

    /// <summary>Trains a stage on what is left of the vectors, and takes it away from them.</summary>
    /// <param name="kind">How its tables are related.</param>
    /// <param name="levels">Rows of a table.</param>
    /// <param name="random">Draws of this stage.</param>
    /// <param name="loss">Mean squared residual after it.</param>
    public PairTables Run(PairKind kind, int levels, Random random, out double loss)
    {
        double rms = Math.Sqrt(_vectors.Measure());
        PairTables start = Start(kind, levels, random);
        (PairTables Tables, double Loss) best = Descend(start, 0);
        if (_plan.SoftIterations > 0 && rms > 0)
        {
            (PairTables Tables, double Loss) soft = Descend(start, rms);
            best = soft.Loss < best.Loss ? soft : best;
        }
        best.Tables.RoundToHalves();
        PairStage stage = Load(best.Tables);
        var sums = new PairSums(best.Tables);
        new PairExpectation(stage).Run(_vectors, 0, sums);
        _vectors.Subtract(stage);
        loss = sums.Loss / _vectors.Count;
        return best.Tables;
    }

    private PairTables Start(PairKind kind, int levels, Random random)
    {
        PairTables tables = PairTables.Zero(kind, levels, _vectors.Width);
        if (kind == PairKind.Free)
        {
            // k-means for the first table, and on its residual for the second: the joint steps then only gain.
            PairTables first = Kmeans(levels, random, tables.Second);
            first.Second.CopyTo(tables.First, 0);
            PairTables second = Kmeans(levels, random, tables.First);
            second.Second.CopyTo(tables.Second, 0);
            return tables;
        }
        for (int level = 0; level < levels; level++)
        {
            ReadOnlySpan<float> vector = _vectors.Row(random.Next(_vectors.Count));
            if (kind == PairKind.Tied)
            {
                PairRepair.HalfTurn(vector, tables.First.AsSpan(level * tables.Width, tables.Width));
            }
            else
            {
                vector.CopyTo(tables.Second.AsSpan(level * tables.Width));
            }
        }
        tables.Tie();
        return tables;
    }

    // k-means of what a first table leaves; a table of zeros leaves everything.
    private PairTables Kmeans(int levels, Random random, float[] first)
    {
        const int Iterations = 6;
        var left = new TrainingVectors(_vectors.Count, _vectors.Width);
        var table = new PairTables(PairKind.Single, _vectors.Width, new float[_vectors.Width], first);
        PairStage stage = Load(table);
        for (int vector = 0; vector < left.Count; vector++)
        {
            _vectors.Row(vector).CopyTo(left.Row(vector));
        }
        left.Measure();
        var sums = new PairSums(table);
        new PairExpectation(stage).Run(left, 0, sums);
        left.Subtract(stage);
        var trainer = new StageTrainer(_plan with { HardIterations = Iterations, SoftIterations = 0 }, left, _cancellation);
        left.Measure();
        return trainer.Descend(trainer.Start(PairKind.Single, levels, random), 0).Tables;
    }

    // Soft iterations first where rms > 0, then hard ones until they gain little.
    private (PairTables Tables, double Loss) Descend(PairTables start, double rms)
    {
        PairTables tables = start.Copy();
        PairTables best = tables.Copy();
        double loss = double.PositiveInfinity;
        var stage = new PairStage(tables.FirstLevels, tables.SecondLevels, tables.Width);
        var expectation = new PairExpectation(stage);
        var sums = new PairSums(tables);
        int soft = rms > 0 ? _plan.SoftIterations : 0;
        for (int iteration = 0; iteration < soft + _plan.HardIterations; iteration++)
        {
            _cancellation.ThrowIfCancellationRequested();
            stage.Load(tables.First, tables.Second);
            double share = soft > 1 ? iteration / (soft - 1.0) : 1;
            double temperature = iteration < soft ? rms * HottestShare * Math.Pow(ColdestShare / HottestShare, share) : 0;
            expectation.Run(_vectors, (float)temperature, sums);
            double before = loss;
            if (sums.Loss < loss)
            {
                loss = sums.Loss;
                best = tables.Copy();
            }
            if (iteration >= soft && !(sums.Loss < before * (1 - SmallestGain)))
            {
                break;
            }
            PairMaximisation.Run(sums, tables);
            PairRepair.Run(sums, tables, _vectors);
        }
        return (best, loss);
    }

    private static PairStage Load(PairTables tables)
    {
        var stage = new PairStage(tables.FirstLevels, tables.SecondLevels, tables.Width);
        stage.Load(tables.First, tables.Second);
        return stage;
    }
}
