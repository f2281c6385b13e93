namespace Concertina.Compute.KvCache.Codecs.CommVq.Encoding;

/// <summary>
/// Codes of some vectors, stage after stage, with the best few partial sums of each kept: of the candidates of a stage,
/// ordered by (squared residual, rank of the parent, code), the first survive, duplicates too; the answer is the first of
/// the last stage. A beam of 1 is the greedy search. Not thread-safe.
/// </summary>
internal sealed class BeamEncoder
{
    private readonly int _width;
    private readonly int _beam;
    private readonly float[] _squared;
    private readonly int[] _parents;
    private readonly int[] _codes;
    private readonly BeamCandidates _best;
    private float[] _residuals;
    private float[] _next;
    private readonly float[] _nextSquared;
    private float[] _dots = [];
    private int _count;
    private int _alive;
    private int _stages;

    /// <param name="capacity">Most vectors at once.</param>
    /// <param name="width">Floats of a vector; a multiple of 16.</param>
    /// <param name="beam">Partial sums kept: 1, 2, 4, 8 or 16.</param>
    /// <param name="stageLimit">Most stages.</param>
    public BeamEncoder(int capacity, int width, int beam, int stageLimit)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(width % Projection.Lanes, 0);
        if (beam is not (1 or 2 or 4 or 8 or 16))
        {
            throw new ArgumentOutOfRangeException(nameof(beam), beam, "A beam keeps 1, 2, 4, 8 or 16 partial sums.");
        }
        _width = width;
        _beam = beam;
        _best = new BeamCandidates(beam);
        int rows = RowCount(capacity, beam);
        _residuals = new float[rows * width];
        _next = new float[rows * width];
        _squared = new float[rows];
        _nextSquared = new float[rows];
        _parents = new int[stageLimit * capacity * beam];
        _codes = new int[stageLimit * capacity * beam];
        Capacity = capacity;
    }

    /// <summary>Most vectors at once.</summary>
    public int Capacity { get; }

    /// <summary>Bytes it keeps, but for the products of one stage.</summary>
    public static long BytesFor(int capacity, int width, int beam, int stageLimit) =>
        (RowCount(capacity, beam) * ((2L * width) + 2) * sizeof(float)) + (2L * stageLimit * capacity * beam * sizeof(int));

    /// <summary>Starts with some vectors; their rows are zero.</summary>
    public void Begin(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Capacity);
        _count = count;
        _alive = 1;
        _stages = 0;
        _residuals.AsSpan().Clear();
    }

    /// <summary>A vector, to be filled in between <see cref="Begin"/> and the first stage.</summary>
    public Span<float> Row(int vector) => _residuals.AsSpan(vector * _beam * _width, _width);

    /// <summary>Searches one stage for all vectors.</summary>
    public unsafe void Step(PairStage stage)
    {
        if (_stages == 0)
        {
            for (int vector = 0; vector < _count; vector++)
            {
                fixed (float* row = Row(vector))
                {
                    _squared[vector * _beam] = Projection.Squared(row, _width);
                }
            }
        }
        // Groups of whole beams and whole projections.
        int group = Math.Max(_beam, Projection.Rows);
        if (_dots.Length < group * stage.DotCount)
        {
            _dots = new float[group * stage.DotCount];
        }
        for (int row = 0; row < _count * _beam; row += group)
        {
            for (int part = 0; part < group; part += Projection.Rows)
            {
                stage.Project(_residuals.AsSpan((row + part) * _width), _dots.AsSpan(part * stage.DotCount));
            }
            for (int vector = row / _beam; vector < Math.Min(_count, (row + group) / _beam); vector++)
            {
                Advance(stage, vector, _dots.AsSpan(((vector * _beam) - row) * stage.DotCount));
            }
        }
        (_residuals, _next) = (_next, _residuals);
        _nextSquared.AsSpan().CopyTo(_squared);
        _alive = Math.Min(_beam, _alive * stage.FirstLevels * stage.SecondLevels);
        _stages++;
    }

    /// <summary>Ends the search.</summary>
    /// <param name="codes">Receives the codes, [stages, count].</param>
    /// <param name="squared">Receives squared residuals, one a vector; may be empty.</param>
    public void Finish(Span<int> codes, Span<float> squared)
    {
        for (int vector = 0; vector < _count; vector++)
        {
            int at = vector * _beam;
            if (!squared.IsEmpty)
            {
                squared[vector] = _squared[at];
            }
            for (int stage = _stages - 1; stage >= 0; stage--)
            {
                int entry = (stage * Capacity * _beam) + at;
                codes[(stage * _count) + vector] = _codes[entry];
                at = (vector * _beam) + _parents[entry];
            }
        }
    }

    private void Advance(PairStage stage, int vector, ReadOnlySpan<float> dots)
    {
        _best.Clear();
        int first = vector * _beam;
        for (int rank = 0; rank < _alive; rank++)
        {
            stage.Offer(dots.Slice(rank * stage.DotCount, stage.DotCount), _squared[first + rank], rank, _best);
        }
        for (int rank = 0; rank < _best.Count; rank++)
        {
            int parent = first + _best.Rank(rank);
            int entry = (_stages * Capacity * _beam) + first + rank;
            _parents[entry] = _best.Rank(rank);
            _codes[entry] = _best.Code(rank);
            _nextSquared[first + rank] = stage.Subtract(
                _residuals.AsSpan(parent * _width, _width), _best.Code(rank), _next.AsSpan((first + rank) * _width, _width));
        }
    }

    // Room for the last group of a search.
    private static int RowCount(int capacity, int beam) => ((capacity * beam) + Projection.Lanes) / Projection.Lanes * Projection.Lanes;
}
