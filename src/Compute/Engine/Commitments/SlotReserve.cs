using Concertina.Compute.Engine.Spill;
using Concertina.Compute.Engine.Undo;
using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Transcoding;

namespace Concertina.Compute.Engine.Scheduling;

/// <summary>
/// Slots for the rows of the next step. Bytes come in this order: unreferenced prefix columns (the cache drops them
/// itself), then shadows of sequences computed anew, then what the reflex squeezes quickly, then idle sequences with page files,
/// longest idle first, then what is slow to squeeze, and at last idle sequences without (<see cref="ReclaimRight"/>).
/// What a commitment covers is always found, once everybody is on the floor that was promised. Engine thread only.
/// </summary>
internal sealed class SlotReserve(
    PagedKvCache cache, CommitmentTable commitments, CommitmentLedger ledger, UndoQueue undos, SpillQueue spills)
{
    /// <summary>How idle sequences may be made to give way.</summary>
    public ReclaimRight Right { get; set; } = ReclaimRight.Drop;

    /// <summary>Gives back what is being restored and was promised to nobody yet; false: there is nothing.</summary>
    public Func<bool> TryGiveWay { get; set; } = () => false;

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
        run.WaitsForPromise = tokens > run.HeldTokens && !TryExtend(run, tokens);
        if (run.WaitsForPromise)
        {
            return false;
        }
        while (!cache.TryReserve(run.Table, tokens))
        {
            if (undos.TryGiveWay())
            {
                continue;
            }
            // What is being restored can be read again; what is dropped has to be computed again.
            if (!(Right == ReclaimRight.Drop && TryGiveWay()) && !TryReclaim())
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>True while units of an idle sequence are being copied, to be given back after.</summary>
    public bool IsReclaiming => spills.IsCopying;

    /// <summary>
    /// Gives back the units of the sequence that has been idle longest, as far as <see cref="Right"/> goes: after they were
    /// copied for its page file if it has one.
    /// </summary>
    /// <returns>False when there is none, or its units are not all copied yet.</returns>
    public bool TryReclaim()
    {
        bool dropped = false;
        if (Right == ReclaimRight.None || !(spills.IsCopying || TryBegin(out dropped)))
        {
            return false;
        }
        Reclaimed += dropped ? 1 : 0;
        if (!dropped)
        {
            Spill(out dropped);
        }
        return dropped;
    }

    /// <summary>Begins to spill an idle sequence that nobody's need for memory asks for.</summary>
    /// <returns>False, with nothing changed, when it cannot be kept.</returns>
    public bool TrySpill(Sequence sequence)
    {
        if (sequence.IdlePlace is null || sequence.CurrentRun is not null || !spills.CanKeep(sequence))
        {
            return false;
        }
        spills.Idle.Remove(sequence);
        undos.Drop(sequence);
        if (!spills.TryBegin(sequence))
        {
            Release(sequence);
        }
        return true;
    }

    /// <summary>Copies another slice of what is being spilled.</summary>
    /// <param name="released">Whether a sequence's units were given back.</param>
    /// <returns>True when something was copied.</returns>
    public bool Spill(out bool released)
    {
        bool copied = spills.Run(Release, out released);
        Reclaimed += released ? 1 : 0;
        return copied;
    }

    /// <summary>A sequence whose units are being copied is needed: it is idle as before.</summary>
    public void Recall(Sequence sequence)
    {
        if (spills.Cancel(sequence))
        {
            spills.Idle.Add(sequence);
        }
    }

    /// <summary>Gives a sequence's units back; its tokens stay, its full columns remain as prefix columns.</summary>
    public void Release(Sequence sequence)
    {
        spills.Idle.Remove(sequence);
        spills.Cancel(sequence);
        undos.Drop(sequence);
        if (sequence.Table is { } table)
        {
            cache.Release(table);
            sequence.Table = null;
        }
        sequence.PublishTable();
    }

    // Whether a sequence gives way, and whether it has done so already because it could not be kept.
    private bool TryBegin(out bool dropped)
    {
        dropped = false;
        if (Right == ReclaimRight.Spill)
        {
            return spills.Next() is { } next && TrySpill(next);
        }
        if (spills.Idle.TakeOldest() is not { } oldest)
        {
            return false;
        }
        undos.Drop(oldest);
        dropped = !spills.TryBegin(oldest);
        if (dropped)
        {
            Release(oldest);
        }
        return true;
    }

    private bool TryExtend(Run run, int tokens)
    {
        int column = KvShape.PagesFor(tokens) * KvShape.PageTokens;
        int covered = Math.Min(column, run.Bounds.TokenLimit);
        return ledger.TryExtend(run, covered, Math.Max(run.HeldBytes, commitments.Bytes(covered, run.Bounds.DeepestRung)));
    }
}
