using Concertina.Compute.Engine.Undo;
using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Transcoding;

namespace Concertina.Compute.Engine.Scheduling;

/// <summary>
/// Slots for the rows of the next step. Bytes come in this order: unreferenced prefix columns (the cache drops them
/// itself), then shadows of sequences computed anew, then what the reflex squeezes, then idle sequences, longest idle first.
/// What a commitment covers is always found, once everybody is on the floor that was promised. Engine thread only.
/// </summary>
internal sealed class SlotReserve(
    PagedKvCache cache, CommitmentTable commitments, CommitmentLedger ledger, IdleSequences idle, UndoQueue undos)
{
    /// <summary>Whether idle sequences may be dropped: nothing more can be squeezed.</summary>
    public bool MayReclaim { get; set; } = true;

    /// <summary>Idle sequences whose units were taken back.</summary>
    public long Reclaimed { get; private set; }

    /// <summary>Makes room for the next rows of a run; false: it has to wait in place.</summary>
    public bool TryPrepare(Run run, int rows)
    {
        int tokens = run.Table.TokenCount + rows;
        // What fits only squeezed may hold no more columns in finer forms than its commitment counts.
        run.WaitsForSqueeze = run.Bounds.Rung > 0 && Squeezer.PendingColumns(run.Table, tokens) > commitments.PendingColumns;
        if (run.WaitsForSqueeze)
        {
            return false;
        }
        if (tokens > run.HeldTokens && !TryExtend(run, tokens))
        {
            return false;
        }
        while (!cache.TryReserve(run.Table, tokens))
        {
            if (undos.TryGiveWay())
            {
                continue;
            }
            if (!MayReclaim || !TryReclaim())
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>Gives back the units of the sequence that has been idle longest.</summary>
    /// <returns>False when none is idle.</returns>
    public bool TryReclaim()
    {
        if (idle.TakeOldest() is not { } oldest)
        {
            return false;
        }
        Release(oldest);
        Reclaimed++;
        return true;
    }

    /// <summary>Gives a sequence's units back; its tokens stay, its full columns remain as prefix columns.</summary>
    public void Release(Sequence sequence)
    {
        idle.Remove(sequence);
        undos.Drop(sequence);
        if (sequence.Table is { } table)
        {
            cache.Release(table);
            sequence.Table = null;
        }
        sequence.PublishTable();
    }

    private bool TryExtend(Run run, int tokens)
    {
        int column = KvShape.PagesFor(tokens) * KvShape.PageTokens;
        int covered = Math.Min(column, run.Bounds.TokenLimit);
        return ledger.TryExtend(run, covered, Math.Max(run.HeldBytes, commitments.Bytes(covered, run.Bounds.DeepestRung)));
    }
}
