using Concertina.Compute.KvCache;
using Concertina.Compute.Model;

namespace Concertina.Compute.Attention;

/// <summary>
/// Cuts a step into chunks. Cuts lie only between rows and between splits of 16 pages, both of which the row law allows
/// anywhere; so the plan may look at the thread count without changing a bit of the result.
/// </summary>
internal sealed class AttentionPlan
{
    /// <summary>Pages of one split: folded in order from an empty partial, then merged in order of splits.</summary>
    public const int SplitPages = PageTable.BlockEntries;

    private const int ChunksPerWorker = 4;
    private const int PartialsPerWorker = 512;

    private readonly KvShape _shape;
    private readonly int _workerCount;
    private readonly AttentionChunk[] _chunks;

    public AttentionPlan(KvShape shape, int maxRows, int workerCount)
    {
        _shape = shape;
        _workerCount = workerCount;
        PositionsPerBlock = Math.Max(1, MaximumBlockRows(shape.HeadDim) / shape.GroupSize);
        PartialCapacity = PartialsPerWorker * workerCount;
        _chunks = new AttentionChunk[(maxRows * shape.KvHeadCount) + PartialCapacity];
    }

    public int Count { get; private set; }

    /// <summary>Chunks whose partials <see cref="PagedAttention.Complete"/> merges stand first.</summary>
    public int SplitChunkCount { get; private set; }

    public int PositionsPerBlock { get; }

    /// <summary>Query rows of the largest block.</summary>
    public int BlockRows => PositionsPerBlock * _shape.GroupSize;

    /// <summary>Partials of one query row and one split that can be kept for merging.</summary>
    public int PartialCapacity { get; }

    public int PartialCount { get; private set; }

    public ref readonly AttentionChunk this[int chunk] => ref _chunks[chunk];

    public long Bytes => _chunks.Length * 28L;

    public void Make(StepBatch batch)
    {
        Count = 0;
        PartialCount = 0;
        int blocks = 0;
        foreach (StepSpan span in batch.Spans)
        {
            blocks += (span.RowCount + PositionsPerBlock - 1) / PositionsPerBlock * _shape.KvHeadCount;
        }
        // Few blocks leave threads idle unless pages are split among them.
        int pieces = blocks >= ChunksPerWorker * _workerCount || _workerCount == 1
            ? 1
            : ((ChunksPerWorker * _workerCount) + blocks - 1) / blocks;
        for (int span = 0; span < batch.SpanCount && pieces > 1; span++)
        {
            AddSpan(batch.Spans[span], span, pieces);
        }
        SplitChunkCount = Count;
        for (int span = 0; span < batch.SpanCount; span++)
        {
            AddSpan(batch.Spans[span], span, 1);
        }
    }

    /// <summary>Splits that the block's last position sees.</summary>
    public static int SplitsFor(int lastPosition, int unitCount)
    {
        int pages = Math.Min(unitCount, (lastPosition / KvShape.PageTokens) + 1);
        return (pages + SplitPages - 1) / SplitPages;
    }

    // Adds the span's blocks that are cut (pieces > 1) or, in the second pass, those that are not.
    private void AddSpan(StepSpan span, int index, int pieces)
    {
        for (int first = 0; first < span.RowCount; first += PositionsPerBlock)
        {
            int positions = Math.Min(PositionsPerBlock, span.RowCount - first);
            for (int head = 0; head < _shape.KvHeadCount; head++)
            {
                var block = new AttentionChunk(index, head, span.FirstRow + first, positions, 0, 0, -1);
                int splits = SplitsFor(span.FirstPosition + first + positions - 1, LongestList(span.Table, head));
                if (pieces > 1)
                {
                    TryCut(block, splits, pieces);
                }
                else if (!IsCut(block))
                {
                    _chunks[Count++] = block with { SplitCount = splits };
                }
            }
        }
    }

    // One plan serves all layers, and after eviction their lists differ; a shorter one has nothing in the last splits.
    private int LongestList(PageTable table, int kvHead)
    {
        if (table.EvictedColumns == 0)
        {
            return table.UnitCount(kvHead);
        }
        int longest = 0;
        for (int head = kvHead; head < _shape.HeadCount; head += _shape.KvHeadCount)
        {
            longest = Math.Max(longest, table.UnitCount(head));
        }
        return longest;
    }

    private void TryCut(AttentionChunk block, int splits, int pieces)
    {
        int rows = block.PositionCount * _shape.GroupSize;
        if (splits < 2 || PartialCount + (rows * splits) > PartialCapacity)
        {
            return;
        }
        int step = (splits + pieces - 1) / pieces;
        for (int split = 0; split < splits; split += step)
        {
            int count = Math.Min(step, splits - split);
            _chunks[Count++] = block with { FirstSplit = split, SplitCount = count, FirstPartial = PartialCount };
            PartialCount += count * rows;
        }
    }

    private bool IsCut(AttentionChunk block)
    {
        for (int i = 0; i < SplitChunkCount; i++)
        {
            if (_chunks[i].FirstRow == block.FirstRow && _chunks[i].KvHead == block.KvHead)
            {
                return true;
            }
        }
        return false;
    }

    private static int MaximumBlockRows(int headDim) => headDim <= 128 ? 128 : 64;
}
