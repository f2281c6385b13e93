using Concertina.Compute.Engine.Scheduling;
using Concertina.Compute.KvCache;

namespace Concertina.Compute.Engine.Undo;

/// <summary>
/// What shadows may take: bytes that are neither in use nor promised. A running sequence's own promise pays for its shadow
/// first, because after the swap only one of the two tables is left; the rest comes out of what is free.
/// </summary>
internal sealed class UndoMemory(PagedKvCache cache, CommitmentTable commitments, CommitmentLedger ledger, double highWatermark)
{
    /// <summary>Whether a job's shadow could be finished with the bytes that are free now.</summary>
    public bool CanStart(UndoJob job, IReadOnlyList<UndoJob> shadows) => Extra(job) <= FreeBytes(shadows);

    /// <summary>
    /// Bytes left when every running sequence has grown to its promise and every shadow is finished; below 0: shadows have to
    /// give way. Unreferenced prefix columns count as free.
    /// </summary>
    /// <param name="shadows">Jobs that have a shadow.</param>
    public long FreeBytes(IReadOnlyList<UndoJob> shadows)
    {
        // Not up to the last byte: above the high watermark sessions are squeezed, which would undo the undo.
        long free = (long)(highWatermark * commitments.CapacityBytes) - (cache.UsedBytes - cache.Interior.Budget.FixedBytes - cache.UnreferencedPrefixBytes);
        foreach (Run run in ledger.Runs)
        {
            free -= Math.Max(0, run.HeldBytes - run.Table.Bytes); // elastic ones are promised their floors and hold more
        }
        foreach (UndoJob job in shadows)
        {
            free -= Extra(job) - job.Shadow!.Bytes; // what it holds already is among the bytes in use
        }
        return free;
    }

    /// <summary>Bytes of the finished shadow that the sequence's own promise does not cover.</summary>
    private long Extra(UndoJob job) => Math.Max(0, FullBytes(job) - OwnPromise(job));

    private static long OwnPromise(UndoJob job) =>
        job.Runs ? Math.Max(0, job.Sequence.CurrentRun!.HeldBytes - job.Sequence.Table!.Bytes) : 0;

    private long FullBytes(UndoJob job) => Math.Max(
        commitments.Bytes(Math.Min(job.Sequence.Table!.TokenCount + 1, commitments.ContextLength), job.Target), job.Shadow?.Bytes ?? 0);
}
