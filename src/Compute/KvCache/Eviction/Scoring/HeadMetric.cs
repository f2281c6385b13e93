using Concertina.Compute.Kernels;

namespace Concertina.Compute.KvCache.Eviction.Scoring;

/// <summary>
/// The metric of one KV head: the attention of its observed queries to every live key, to a power, summed over the
/// queries, pooled over neighbouring positions, then summed over the query heads of the group (arXiv 2410.00161, sections
/// 4.1 and 4.3; the order of pool and sum is that of the published code).
/// </summary>
/// <remarks>
/// Two passes over the pages: the first finds each row's log-sum-exp, the second the weights. That costs the scores twice
/// and saves keeping them: scratch is a page, and the caller lends one number per slot and query head. Keys that
/// nobody will rank need the first pass only. Prefill and decode alike:
/// 4 * rows * headDim operations per slot.
/// </remarks>
internal sealed unsafe class HeadMetric : IDisposable
{
    private const int LaneMultiple = 16;

    private readonly EvictionOptions _options;
    private readonly IMetricKernel _kernel;
    private readonly NativeBuffer _buffer;
    private readonly MetricRows _rows;
    private float* _sums;
    private int _slotCount;
    private int _scored;

    /// <summary>Makes the scratch.</summary>
    /// <param name="groupSize">Query heads of the KV head.</param>
    /// <param name="headDim">Channels.</param>
    /// <param name="options">Observed queries, pool and power.</param>
    public HeadMetric(int groupSize, int headDim, EvictionOptions options)
    {
        _options = options;
        _kernel = MetricKernel.For(options.Path);
        GroupSize = groupSize;
        int lanes = LanesFor(groupSize, options.QueryCount);
        _buffer = new NativeBuffer(FixedBytes(groupSize, headDim, options));
        _rows = new MetricRows { Rows = groupSize * options.QueryCount, Lanes = lanes, HeadDim = headDim };
        // The parts follow each other and add up to FixedBytes; every part is whole lines of 16 floats.
        _rows.Queries = (float*)_buffer.Pointer;
        _rows.Keys = _rows.Queries + (headDim * lanes);
        _rows.Scores = _rows.Keys + Lines(KvShape.PageTokens * headDim);
        _rows.Maximum = _rows.Scores + (KvShape.PageTokens * lanes);
        _rows.Sum = _rows.Maximum + lanes;
        _rows.Shift = _rows.Sum + lanes;
        _rows.Scale = _rows.Shift + lanes;
        _rows.Positions = (int*)(_rows.Scale + lanes);
    }

    /// <summary>Query heads of the KV head.</summary>
    public int GroupSize { get; }

    /// <summary>Where the caller puts the keys of a page, [64, headDim].</summary>
    public Span<float> Keys => new(_rows.Keys, KvShape.PageTokens * _rows.HeadDim);

    /// <summary>Bytes made once.</summary>
    public static long FixedBytes(int groupSize, int headDim, EvictionOptions options)
    {
        long lanes = LanesFor(groupSize, options.QueryCount);
        return sizeof(float) * (Lines(KvShape.PageTokens * headDim) + (lanes * (headDim + KvShape.PageTokens + 5)));
    }

    /// <summary>Starts a head.</summary>
    /// <param name="queries">After RoPE, not scaled, [group, observed queries, headDim].</param>
    /// <param name="positions">Position of each observed query.</param>
    /// <param name="sums">Memory of the caller until <see cref="Pool"/>, [group, slots].</param>
    /// <param name="slotCount">Live keys that will be scored.</param>
    public void Begin(ReadOnlySpan<float> queries, ReadOnlySpan<int> positions, float* sums, int slotCount)
    {
        float scale = 1f / MathF.Sqrt(_rows.HeadDim);
        for (int row = 0; row < _rows.Lanes; row++)
        {
            bool real = row < _rows.Rows;
            _rows.Positions[row] = real ? positions[row % _options.QueryCount] : int.MaxValue;
            _rows.Maximum[row] = float.NegativeInfinity;
            _rows.Sum[row] = 0f;
            for (int channel = 0; channel < _rows.HeadDim; channel++)
            {
                _rows.Queries[(channel * _rows.Lanes) + row] = real ? queries[(row * _rows.HeadDim) + channel] * scale : 0f;
            }
        }
        _slotCount = slotCount;
        _scored = 0;
        _sums = sums;
    }

    /// <summary>First pass: adds the page in <see cref="Keys"/> to each row's log-sum-exp.</summary>
    /// <param name="positions">Position of each slot of the page, at most 64.</param>
    public void Observe(ReadOnlySpan<int> positions)
    {
        _kernel.Score(_rows, positions.Length);
        Mask(positions, 0);
        _kernel.Largest(_rows, positions.Length);
        for (int lane = 0; lane < _rows.Lanes; lane++)
        {
            float before = _rows.Maximum[lane];
            float maximum = MathF.Max(before, _rows.Shift[lane]);
            // A row that sees nothing yet keeps -inf; subtracting 0 instead gives weights of 0.
            float reference = float.IsNegativeInfinity(maximum) ? 0f : maximum;
            _rows.Sum[lane] *= VectorExp.Exp(before - reference);
            _rows.Maximum[lane] = maximum;
            _rows.Shift[lane] = reference;
        }
        _kernel.SumOfExp(_rows, positions.Length);
        for (int lane = 0; lane < _rows.Lanes; lane++)
        {
            _rows.Sum[lane] += _rows.Scale[lane];
        }
    }

    /// <summary>Log of the sum of exp(score) of one row, row = head of the group * observed queries + query.</summary>
    public float LogSumExp(int row) => _rows.Maximum[row] + MathF.Log(_rows.Sum[row]);

    /// <summary>Second pass: the weights of the page in <see cref="Keys"/>, to the power, summed over the observed queries.</summary>
    /// <param name="positions">As in the first pass, pages in the same order.</param>
    public void Score(ReadOnlySpan<int> positions)
    {
        _kernel.Score(_rows, positions.Length);
        Mask(positions, _options.MinimumDistance);
        for (int lane = 0; lane < _rows.Lanes; lane++)
        {
            bool sees = _rows.Sum[lane] != 0f;
            _rows.Shift[lane] = sees ? _rows.Maximum[lane] : 0f;
            _rows.Scale[lane] = sees ? 1f / _rows.Sum[lane] : 0f;
        }
        _kernel.Weigh(_rows, positions.Length);
        for (int slot = 0; slot < positions.Length; slot++)
        {
            float* weights = _rows.Scores + (slot * _rows.Lanes);
            for (int head = 0; head < GroupSize; head++, weights += _options.QueryCount)
            {
                _sums[((long)head * _slotCount) + _scored + slot] = Sum(weights);
            }
        }
        _scored += positions.Length;
    }

    /// <summary>Pools some of the scored keys and adds up the group.</summary>
    /// <param name="positions">Position of every scored key, ascending.</param>
    /// <param name="first">First key to pool.</param>
    /// <param name="metric">Receives one number per key from <paramref name="first"/> on; its length says how many.</param>
    public void Pool(ReadOnlySpan<int> positions, int first, Span<float> metric)
    {
        metric.Clear();
        for (int head = 0; head < GroupSize; head++)
        {
            var sums = new ReadOnlySpan<float>(_sums + ((long)head * _slotCount), _slotCount);
            PositionPool.AddMaximum(positions, sums, new PoolRange(first, _options.PoolKernel / 2), metric);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _buffer.Dispose();

    private static int LanesFor(int groupSize, int queryCount) => Lines(groupSize * queryCount);

    private static int Lines(int count) => (count + LaneMultiple - 1) / LaneMultiple * LaneMultiple;

    // Only keys near or after the oldest query need it, so the loop over rows is rare.
    private void Mask(ReadOnlySpan<int> positions, int distance)
    {
        int oldest = Oldest();
        for (int slot = 0; slot < positions.Length; slot++)
        {
            if (positions[slot] + distance <= oldest)
            {
                continue;
            }
            for (int row = 0; row < _rows.Rows; row++)
            {
                if (positions[slot] > _rows.Positions[row] - distance)
                {
                    _rows.Scores[(slot * _rows.Lanes) + row] = float.NegativeInfinity;
                }
            }
        }
    }

    private int Oldest()
    {
        int oldest = int.MaxValue;
        for (int row = 0; row < _options.QueryCount; row++)
        {
            oldest = Math.Min(oldest, _rows.Positions[row]);
        }
        return oldest;
    }

    private float Sum(float* weights)
    {
        float sum = 0f;
        for (int query = 0; query < _options.QueryCount; query++)
        {
            float weight = weights[query];
            sum += _options.Metric == EvictionMetric.Attention ? weight : weight * weight;
        }
        return sum;
    }
}
