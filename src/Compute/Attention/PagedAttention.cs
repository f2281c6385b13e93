using Concertina.Compute.KvCache;
using Concertina.Compute.Model;
using Concertina.Compute.Threading;

namespace Concertina.Compute.Attention;

/// <summary>
/// Attention of one step over page tables: per span and KV head it walks the table, calls the codec once per run of
/// neighbouring units of one codec, and merges partials in page order by log-sum-exp, so that a row's result depends
/// neither on the other rows nor on chunk borders nor on the thread count (the row law).
/// </summary>
public sealed class PagedAttention : IWorkJob
{
    /// <summary>Makes the attention of a runner; all scratch is allocated here.</summary>
    /// <param name="cache">Cache the tables belong to.</param>
    /// <param name="maxRows">Most rows of a step.</param>
    /// <param name="workerCount">Threads that may call <see cref="Execute"/>.</param>
    public PagedAttention(PagedKvCache cache, int maxRows, int workerCount) => throw new NotImplementedException();

    /// <summary>Chunks of the planned step; the same for every layer.</summary>
    public int ChunkCount => throw new NotImplementedException();

    /// <summary>Cuts the step into chunks (span, KV head, block of rows, range of pages). Once per step, allocates nothing.</summary>
    public void Plan(StepBatch batch) => throw new NotImplementedException();

    /// <summary>Sets the layer and its buffers for the chunks that follow.</summary>
    /// <param name="layer">Layer index.</param>
    /// <param name="queries">Queries after RoPE, not yet scaled, [rows, queryHeads * headDim].</param>
    /// <param name="outputs">Attention output, [rows, queryHeads * headDim]; overwritten.</param>
    public void Begin(int layer, Memory<float> queries, Memory<float> outputs) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void Execute(int chunk, int worker) => throw new NotImplementedException();

    /// <summary>Merges what was split over pages; call once per layer after all chunks ran.</summary>
    public void Complete() => throw new NotImplementedException();
}
