using Concertina.Compute.KvCache.Codecs;
using Concertina.Compute.KvCache.Codecs.CommVq.Books;
using Concertina.Compute.KvCache.Codecs.CommVq.Encoding;

namespace Concertina.Compute.Calibration.CommVq;

/// <summary>
/// Trains the codebooks of all heads: mean of the channels, unit vectors, then stage after stage on what the stages before
/// leave. Deterministic by seed and data whatever the threads, because a head is trained by one.
/// </summary>
internal sealed class CommVqTrainer
{
    private readonly CommVqTraining _plan;
    private readonly int _headDim;
    private readonly Action<CommVqProgress>? _progress;

    /// <param name="plan">How.</param>
    /// <param name="headDim">Channels of a head.</param>
    /// <param name="progress">Called after every stage of every head, from the training threads, or null.</param>
    /// <exception cref="ArgumentException">A number is out of range.</exception>
    public CommVqTrainer(CommVqTraining plan, int headDim, Action<CommVqProgress>? progress = null)
    {
        plan.Validate();
        _plan = plan;
        _headDim = headDim;
        _progress = progress;
    }

    /// <summary>Trains all heads; blocks the caller.</summary>
    /// <exception cref="ArgumentException">A sample is empty or holds a value that is not finite.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public CommVqBooks Train(IReadOnlyList<HeadSample> heads, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfZero(heads.Count);
        for (int head = 0; head < heads.Count; head++)
        {
            Require(heads[head].Keys.Span, head, KvSide.Keys);
            Require(heads[head].Values.Span, head, KvSide.Values);
        }
        var keys = new KeyBook[heads.Count];
        var values = new ValueBook[heads.Count];
        var options = new ParallelOptions { MaxDegreeOfParallelism = _plan.Threads, CancellationToken = cancellation };
        Parallel.For(0, 2 * heads.Count, options, job =>
        {
            int head = job / 2;
            if (job % 2 == 0)
            {
                keys[head] = TrainKeys(heads[head].Keys.Span, head, cancellation);
            }
            else
            {
                values[head] = TrainValues(heads[head].Values.Span, head, cancellation);
            }
        });
        return new CommVqBooks(keys, values);
    }

    /// <summary>Trains the keys of one head on this thread.</summary>
    public KeyBook TrainKeys(ReadOnlySpan<float> rows, int head, CancellationToken cancellation)
    {
        var layout = new BookLayout(_plan.Shape.KeyLevels, _plan.Shape.KeyStages, _headDim);
        layout.Require(BookLayout.KeyLevels);
        float[] mean = Mean(rows);
        TrainingVectors vectors = Unit(rows, mean, PairLayout.Width(_headDim), pairs: true);
        var trainer = new StageTrainer(_plan, vectors, cancellation);
        float[] first = new float[layout.Length];
        float[] second = new float[layout.Length];
        float[] straight = new float[layout.Levels * vectors.Width];
        for (int stage = 0; stage < layout.Stages; stage++)
        {
            PairTables tables = trainer.Run(_plan.Arm.Tied ? PairKind.Tied : PairKind.Free, layout.Levels, Draws(head, stage, KvSide.Keys), out double loss);
            layout.Unpad(tables.First, stage, first);
            // The book holds Y, the tables i Y: three more turns by i.
            PairLayout.TimesI(tables.Second, straight, vectors.Width);
            for (int i = 0; i < straight.Length; i++)
            {
                straight[i] = -straight[i];
            }
            layout.Unpad(straight, stage, second);
            _progress?.Invoke(new CommVqProgress(head, KvSide.Keys, stage, loss));
        }
        return new KeyBook(layout, first, _plan.Arm.Tied ? null : second, mean);
    }

    /// <summary>Trains the values of one head on this thread.</summary>
    public ValueBook TrainValues(ReadOnlySpan<float> rows, int head, CancellationToken cancellation)
    {
        var layout = new BookLayout(_plan.Shape.ValueLevels, _plan.Shape.ValueStages, _headDim);
        layout.Require(BookLayout.ValueLevels);
        float[] mean = Mean(rows);
        TrainingVectors vectors = Unit(rows, mean, _headDim, pairs: false);
        var trainer = new StageTrainer(_plan, vectors, cancellation);
        float[] books = new float[layout.Length];
        int step = layout.IsPaired ? 2 : 1;
        for (int stage = 0; stage < layout.Stages; stage += step)
        {
            PairKind kind = layout.IsPaired ? PairKind.Free : PairKind.Single;
            PairTables tables = trainer.Run(kind, layout.Levels, Draws(head, stage, KvSide.Values), out double loss);
            if (layout.IsPaired)
            {
                tables.First.CopyTo(books, stage * layout.StageLength);
            }
            tables.Second.CopyTo(books, (stage + step - 1) * layout.StageLength);
            _progress?.Invoke(new CommVqProgress(head, KvSide.Values, stage / step, loss));
        }
        return new ValueBook(layout, books, mean);
    }

    // A stream of its own for every stage of every head, so that neither order nor threads matter.
    private Random Draws(int head, int stage, KvSide side)
    {
        const ulong Golden = 0x9E37_79B9_7F4A_7C15;
        ulong mixed = _plan.Seed;
        foreach (int part in new[] { head, stage, (int)side })
        {
            mixed = (mixed ^ (ulong)part) * Golden;
            mixed ^= mixed >> 29;
        }
        return new Random((int)(mixed >> 33));
    }

    private void Require(ReadOnlySpan<float> rows, int head, KvSide side)
    {
        if (rows.IsEmpty || rows.Length % _headDim != 0)
        {
            throw new ArgumentException($"The sample of {side} of head {head} has {rows.Length} numbers, which is not one or more rows of {_headDim}.");
        }
        foreach (float value in rows)
        {
            if (!float.IsFinite(value))
            {
                throw new ArgumentException($"The sample of {side} of head {head} holds {value}; training needs finite numbers.");
            }
        }
    }

    private float[] Mean(ReadOnlySpan<float> rows)
    {
        if (!_plan.Arm.Centred)
        {
            return new float[_headDim];
        }
        double[] sums = new double[_headDim];
        for (int i = 0; i < rows.Length; i++)
        {
            sums[i % _headDim] += rows[i];
        }
        int count = rows.Length / _headDim;
        return [.. sums.Select(sum => (float)(sum / count))];
    }

    private TrainingVectors Unit(ReadOnlySpan<float> rows, float[] mean, int width, bool pairs)
    {
        var vectors = new TrainingVectors(rows.Length / _headDim, width);
        float[] unit = new float[_headDim];
        for (int row = 0; row < vectors.Count; row++)
        {
            UnitVector.Make(rows.Slice(row * _headDim, _headDim), mean, unit);
            if (pairs)
            {
                PairLayout.Split(unit, vectors.Row(row));
            }
            else
            {
                unit.CopyTo(vectors.Row(row));
            }
        }
        return vectors;
    }
}
