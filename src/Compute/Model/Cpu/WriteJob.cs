using Concertina.Compute.KvCache;
using Concertina.Compute.Threading;

namespace Concertina.Compute.Model.Cpu;

/// <summary>Stores K and V of each span in its page table; one chunk per span, because a table has one writer.</summary>
internal sealed class WriteJob(PagedKvCache cache, StepBuffers buffers) : IWorkJob
{
    private StepBatch? _batch;
    private int _layer;

    /// <summary>Writes one layer.</summary>
    public void Run(WorkPool pool, StepBatch batch, int layer)
    {
        _batch = batch;
        _layer = layer;
        pool.Run(this, batch.SpanCount);
    }

    /// <inheritdoc/>
    public void Execute(int chunk, int worker)
    {
        StepSpan span = _batch!.Spans[chunk];
        cache.Write(span.Table, _layer, buffers.RowsOf(span));
    }
}
