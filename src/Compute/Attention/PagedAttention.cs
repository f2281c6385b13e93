using System.Runtime.CompilerServices;
using Concertina.Compute.Attention.Folds;
using Concertina.Compute.Attention.Lanes;
using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Memory;
using Concertina.Compute.Model;
using Concertina.Compute.Threading;

namespace Concertina.Compute.Attention;

/// <summary>
/// Attention of one step over page tables: per span and KV head it walks the table, calls the codec once per run of
/// neighbouring units of one codec, and merges partials in page order by log-sum-exp, so that a row's result depends
/// neither on the other rows nor on chunk borders nor on the thread count (the row law).
/// </summary>
public sealed unsafe class PagedAttention : IWorkJob
{
    private const float Rebias = 5.192296858534828e33f; // 2^112
    private const float LargestWideQuery = 32768f;

    private readonly PagedKvCache _cache;
    private readonly KvShape _shape;
    private readonly AttentionPlan _plan;
    private readonly AttentionScratch[] _scratch;
    private readonly IUnitAttend?[] _attends;
    private readonly float[] _partials;
    private readonly int _partialFloats;
    private readonly float _scale;
    private StepBatch? _batch;
    private int _layer;
    private Memory<float> _queries;
    private Memory<float> _outputs;

    /// <summary>Makes the attention of a runner; all scratch is allocated here and paid from the cache's budget.</summary>
    /// <param name="cache">Cache the tables belong to.</param>
    /// <param name="maxRows">Most rows of a step.</param>
    /// <param name="workerCount">Threads that may call <see cref="Execute"/>.</param>
    /// <exception cref="ArgumentException">The scratch leaves no room for a column; the message has the bytes.</exception>
    public PagedAttention(PagedKvCache cache, int maxRows, int workerCount)
        : this(cache, maxRows, workerCount, VectorPaths.Best)
    {
    }

    internal PagedAttention(PagedKvCache cache, int maxRows, int workerCount, VectorPath path)
    {
        ArgumentNullException.ThrowIfNull(cache);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxRows, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(workerCount, 1);
        _cache = cache;
        _shape = cache.Shape;
        _plan = new AttentionPlan(_shape, maxRows, workerCount);
        _partialFloats = _shape.HeadDim + 2;
        _scale = 1f / MathF.Sqrt(_shape.HeadDim);
        ScratchBytes = _plan.Bytes + ((long)_plan.PartialCapacity * _partialFloats * sizeof(float))
            + (workerCount * AttentionScratch.BytesFor(_plan.BlockRows, _shape.HeadDim, cache.Codecs));
        cache.DeclareScratch(ScratchBytes);
        _partials = GC.AllocateArray<float>(_plan.PartialCapacity * _partialFloats, pinned: true);
        _attends = cache.Codecs.Attends(path);
        _scratch = new AttentionScratch[workerCount];
        for (int worker = 0; worker < workerCount; worker++)
        {
            _scratch[worker] = new AttentionScratch(_plan.BlockRows, _shape.HeadDim, cache.Codecs);
        }
    }

    /// <summary>Chunks of the planned step; the same for every layer.</summary>
    public int ChunkCount => _plan.Count;

    /// <summary>Bytes of scratch, counted in the cache's used bytes.</summary>
    public long ScratchBytes { get; }

    /// <summary>Cuts the step into chunks (span, KV head, block of rows, range of pages). Once per step, allocates nothing.</summary>
    public void Plan(StepBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        _batch = batch;
        _plan.Make(batch);
    }

    /// <summary>Sets the layer and its buffers for the chunks that follow.</summary>
    /// <param name="layer">Layer index.</param>
    /// <param name="queries">Queries after RoPE, not yet scaled, [rows, queryHeads * headDim].</param>
    /// <param name="outputs">Attention output, [rows, queryHeads * headDim]; overwritten.</param>
    public void Begin(int layer, Memory<float> queries, Memory<float> outputs)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)layer, (uint)_shape.LayerCount);
        _layer = layer;
        _queries = queries;
        _outputs = outputs;
    }

    /// <inheritdoc/>
    public void Execute(int chunk, int worker)
    {
        ref readonly AttentionChunk work = ref _plan[chunk];
        AttentionScratch scratch = _scratch[worker];
        RowBlock block = scratch.Block(work.PositionCount * _shape.GroupSize);
        Gather(work, ref block);
        bool finishes = work.FirstPartial < 0;
        if (finishes)
        {
            Clear(scratch.TotalMaximum, scratch.TotalSum, scratch.TotalValues, block);
        }
        for (int i = 0; i < work.SplitCount; i++)
        {
            Clear(block.Maximum, block.Sum, block.Values, block);
            AttendSplit(work, work.FirstSplit + i, scratch.Views, ref block);
            for (int row = 0; row < block.RowCount; row++)
            {
                var part = new RowPartial(block.Maximum[row], block.Sum[row], block.Values + (row * block.HeadDim), block.HeadDim);
                if (finishes)
                {
                    PartialMerge.Add(
                        ref scratch.TotalMaximum[row], ref scratch.TotalSum[row], scratch.TotalValues + (row * block.HeadDim), part);
                }
                else
                {
                    Keep(work.FirstPartial + (i * block.RowCount) + row, part);
                }
            }
        }
        for (int row = 0; finishes && row < block.RowCount; row++)
        {
            PartialMerge.Normalise(scratch.TotalSum[row], scratch.TotalValues + (row * block.HeadDim), Output(work, row));
        }
    }

    /// <summary>Merges what was split over pages; call once per layer after all chunks ran.</summary>
    public void Complete()
    {
        AttentionScratch scratch = _scratch[0];
        for (int chunk = 0; chunk < _plan.SplitChunkCount;)
        {
            ref readonly AttentionChunk first = ref _plan[chunk];
            int rows = first.PositionCount * _shape.GroupSize;
            int splits = 0;
            do
            {
                splits += _plan[chunk++].SplitCount;
            }
            while (chunk < _plan.SplitChunkCount && _plan[chunk].FirstSplit != 0);
            for (int row = 0; row < rows; row++)
            {
                MergeRow(first, row, splits, scratch);
            }
        }
    }

    private void MergeRow(in AttentionChunk first, int row, int splits, AttentionScratch scratch)
    {
        int rows = first.PositionCount * _shape.GroupSize;
        scratch.TotalMaximum[0] = float.NegativeInfinity;
        scratch.TotalSum[0] = 0f;
        new Span<float>(scratch.TotalValues, _shape.HeadDim).Clear();
        for (int split = 0; split < splits; split++)
        {
            float* kept = Partial(first.FirstPartial + (split * rows) + row);
            var part = new RowPartial(kept[0], kept[1], kept + 2, _shape.HeadDim);
            PartialMerge.Add(ref scratch.TotalMaximum[0], ref scratch.TotalSum[0], scratch.TotalValues, part);
        }
        PartialMerge.Normalise(scratch.TotalSum[0], scratch.TotalValues, Output(first, row));
    }

    // One call of the codec pair per run of neighbouring units with the same codecs.
    private void AttendSplit(in AttentionChunk work, int split, UnitView* views, ref RowBlock block)
    {
        PageTable table = _batch!.Spans[work.Span].Table;
        int head = (_layer * _shape.KvHeadCount) + work.KvHead;
        int last = block.Positions[block.RowCount - 1];
        int count = Math.Min(AttentionPlan.SplitPages, table.UnitCount(head) - (split * AttentionPlan.SplitPages));
        if (count <= 0)
        {
            return; // this layer's list is shorter than another's
        }
        UnitHandle* units = table.Entries(head, split);
        int run = 0;
        int runPair = 0;
        for (int i = 0; i < count; i++)
        {
            int pair = _cache.Pages.View(units[i], head, (split * AttentionPlan.SplitPages) + i, out UnitView view);
            if (view.Start > last)
            {
                break;
            }
            if (pair != runPair && run > 0)
            {
                _attends[runPair]!.Attend(views, run, ref block);
                run = 0;
            }
            runPair = pair;
            views[run++] = view;
        }
        if (run > 0)
        {
            _attends[runPair]!.Attend(views, run, ref block);
        }
    }

    private void Gather(in AttentionChunk work, ref RowBlock block)
    {
        ReadOnlySpan<float> queries = _queries.Span;
        ReadOnlySpan<int> positions = _batch!.Positions;
        int headDim = _shape.HeadDim;
        bool ordinary = true;
        for (int row = 0; row < block.PaddedRows; row++)
        {
            int real = Math.Min(row, block.RowCount - 1);
            block.Positions[row] = positions[work.FirstRow + (real / _shape.GroupSize)];
            var target = new Span<float>(block.Queries + (row * headDim), headDim);
            if (row >= block.RowCount)
            {
                target.Clear();
                continue;
            }
            ReadOnlySpan<float> source = queries.Slice(QueryOffset(work, row), headDim);
            for (int i = 0; i < headDim; i++)
            {
                target[i] = source[i] * _scale;
                ordinary &= Math.Abs(target[i]) < LargestWideQuery;
            }
        }
        block.QueriesAreSmall = ordinary;
        for (int i = 0; ordinary && block.PaddedRows <= 4 && i < block.PaddedRows * headDim; i++)
        {
            block.WideQueries[i] = block.Queries[i] * Rebias;
        }
    }

    private int QueryOffset(in AttentionChunk work, int row)
    {
        int queryHeads = _shape.KvHeadCount * _shape.GroupSize;
        int batchRow = work.FirstRow + (row / _shape.GroupSize);
        return ((batchRow * queryHeads) + (work.KvHead * _shape.GroupSize) + (row % _shape.GroupSize)) * _shape.HeadDim;
    }

    private Span<float> Output(in AttentionChunk work, int row) => _outputs.Span.Slice(QueryOffset(work, row), _shape.HeadDim);

    private static void Clear(float* maximum, float* sum, float* values, in RowBlock block)
    {
        new Span<float>(maximum, block.PaddedRows).Fill(float.NegativeInfinity);
        new Span<float>(sum, block.PaddedRows).Clear();
        new Span<float>(values, block.PaddedRows * block.HeadDim).Clear();
    }

    private void Keep(int index, in RowPartial part)
    {
        float* target = Partial(index);
        target[0] = part.Maximum;
        target[1] = part.Sum;
        new Span<float>(part.Values, part.HeadDim).CopyTo(new Span<float>(target + 2, part.HeadDim));
    }

    // The array is pinned, so its address holds.
    private float* Partial(int index) => (float*)Unsafe.AsPointer(ref _partials[index * _partialFloats]);
}
