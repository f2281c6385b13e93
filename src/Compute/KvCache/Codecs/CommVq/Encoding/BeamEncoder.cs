using System.Numerics;
using System.Runtime.Intrinsics;
using Concertina.Compute.KvCache.Codecs.CommVq.Books;

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
    private PinnedTable _residuals;
    private PinnedTable _next;
    private readonly float[] _nextSquared;
    private PinnedTable _dots = new(0);
    private PinnedTable _costs = new(0);
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
        _residuals = new PinnedTable(rows * width);
        _next = new PinnedTable(rows * width);
        _squared = new float[rows];
        _nextSquared = new float[rows];
        _parents = new int[stageLimit * capacity * beam];
        _codes = new int[stageLimit * capacity * beam];
        Capacity = capacity;
    }

    /// <summary>Most vectors at once.</summary>
    public int Capacity { get; }

    /// <summary>Bytes it keeps, but for <see cref="StageBytes"/>.</summary>
    public static long BytesFor(int capacity, int width, int beam, int stageLimit) =>
        (RowCount(capacity, beam) * ((2L * width) + 2) * sizeof(float)) + (2L * stageLimit * capacity * beam * sizeof(int));

    /// <summary>Bytes of the products and costs of a stage.</summary>
    public static long StageBytes(int beam, int dotCount, int costCount) =>
        sizeof(float) * (((long)Math.Max(beam, Projection.Rows) * dotCount) + ((long)beam * costCount));

    /// <summary>Starts with some vectors; their rows are zero.</summary>
    public void Begin(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Capacity);
        _count = count;
        _alive = 1;
        _stages = 0;
        _residuals.Span.Clear();
    }

    /// <summary>A vector, to be filled in between <see cref="Begin"/> and the first stage.</summary>
    public Span<float> Row(int vector) => _residuals.Slice(vector * _beam * _width, _width);

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
        if (_dots.Count < group * stage.DotCount)
        {
            _dots = new PinnedTable(group * stage.DotCount);
        }
        if (_costs.Count < _beam * stage.CostCount)
        {
            _costs = new PinnedTable(_beam * stage.CostCount);
        }
        for (int row = 0; row < _count * _beam; row += group)
        {
            for (int part = 0; part < group; part += Projection.Rows)
            {
                stage.Project(_residuals.Slice((row + part) * _width, Projection.Rows * _width), _dots.Slice(part * stage.DotCount, Projection.Rows * stage.DotCount));
            }
            for (int vector = row / _beam; vector < Math.Min(_count, (row + group) / _beam); vector++)
            {
                Advance(stage, vector, _dots.Slice(((vector * _beam) - row) * stage.DotCount, _beam * stage.DotCount));
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
        int first = vector * _beam;
        Vector512<float> smallest = Vector512.Create(float.PositiveInfinity);
        for (int rank = 0; rank < _alive; rank++)
        {
            Span<float> costs = _costs.Slice(rank * stage.CostCount, stage.CostCount);
            smallest = Vector512.Min(smallest, stage.Costs(dots.Slice(rank * stage.DotCount, stage.DotCount), _squared[first + rank], costs));
        }
        Select(stage, Limit(smallest));
        for (int rank = 0; rank < _best.Count; rank++)
        {
            int parent = first + _best.Rank(rank);
            int entry = (_stages * Capacity * _beam) + first + rank;
            _parents[entry] = _best.Rank(rank);
            _codes[entry] = _best.Code(rank);
            _nextSquared[first + rank] = stage.Subtract(
                _residuals.Slice(parent * _width, _width), _best.Code(rank), _next.Slice((first + rank) * _width, _width));
        }
    }

    // A bound on the cost of the last survivor: the smallest costs of the lanes are of different candidates. Equal ones are
    // taken out together, which can only raise it.
    private float Limit(Vector512<float> smallest)
    {
        float limit = float.PositiveInfinity;
        for (int survivor = 0; survivor < _beam; survivor++)
        {
            limit = Projection.Least(smallest);
            smallest = Vector512.ConditionalSelect(
                Vector512.Equals(smallest, Vector512.Create(limit)), Vector512.Create(float.PositiveInfinity), smallest);
        }
        return limit;
    }

    // Offers what is within the limit, in the order of rank and code.
    private unsafe void Select(PairStage stage, float limit)
    {
        _best.Clear();
        Vector512<float> bound = Vector512.Create(limit);
        // Costs hold CostCount elements, whole vectors, for each rank.
        for (int rank = 0; rank < _alive; rank++)
        {
            float* own = _costs.Pointer + (rank * stage.CostCount);
            for (int i = 0; i < stage.CostCount; i += Projection.Lanes)
            {
                Vector512<float> costs = Vector512.Load(own + i);
                if (!Vector512.LessThanOrEqualAny(costs, bound))
                {
                    continue;
                }
                for (ulong within = Vector512.LessThanOrEqual(costs, bound).ExtractMostSignificantBits(); within != 0; within &= within - 1)
                {
                    int at = i + BitOperations.TrailingZeroCount(within);
                    _best.Offer(own[at], rank, stage.CodeOf(at));
                }
            }
        }
    }

    // Room for the last group of a search.
    private static int RowCount(int capacity, int beam) => ((capacity * beam) + Projection.Lanes) / Projection.Lanes * Projection.Lanes;
}
