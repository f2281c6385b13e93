using Concertina.Compute.Engine.Scheduling;
using Concertina.Compute.Engine.Undo;
using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Transcoding;

namespace Concertina.Compute.Engine.Elastic;

/// <summary>
/// Transcoding inside a step's budget: moves sequences to their rungs unit by unit while they stream. A sequence whose
/// prompt waits for it comes first, the others take turns. Engine thread only.
/// </summary>
internal sealed class SqueezeStage(EngineState state)
{
    /// <summary>Units of one sequence before it is the next one's turn.</summary>
    private const int TurnUnits = 16;

    private bool _worked;

    /// <summary>Units transcoded since start.</summary>
    public long Units { get; private set; }

    /// <summary>Units kept in a finer form since start, because their rung would have lost too much of them.</summary>
    public long GuardedUnits { get; private set; }

    /// <summary>Bytes that came free by it since start, or can be had at once because only prefix columns hold them.</summary>
    public long ReclaimedBytes { get; private set; }

    /// <summary>Work charged since start, in bytes of source pages times the weight of their encoding.</summary>
    public long ChargedBytes { get; private set; }

    /// <summary>Work charged by the last slice; at most the slice, or one unit or piece of eviction.</summary>
    public long LastSliceBytes { get; private set; }

    /// <summary>Work that the last slice might be charged.</summary>
    public long SliceBytes { get; private set; } = state.Options.TranscodeSliceBytes;

    /// <summary>Runs one slice.</summary>
    /// <param name="urgent">Whether memory is waited for.</param>
    /// <returns>True when it came further, so that another slice may follow at once.</returns>
    public bool Run(bool urgent)
    {
        long slice = state.Options.TranscodeSliceBytes;
        SliceBytes = urgent ? Math.Max(slice, state.Options.UrgentSliceBytes) : slice;
        LastSliceBytes = 0;
        _worked = false;
        foreach (Run run in state.Running)
        {
            if (run.WaitsForSqueeze)
            {
                GiveWayTo(Work(run.Table, int.MaxValue));
            }
        }
        for (int i = state.Undos.Shadows.Count - 1; i >= 0; i--)
        {
            UndoJob job = state.Undos.Shadows[i];
            if (job.Target > 0 && Work(job.Shadow!, int.MaxValue) == SqueezeOutcome.NoRoom)
            {
                state.Undos.Abandon(job);
            }
        }
        bool quickAlone = urgent && state.HasQuickSqueezes;
        for (int turn = state.Squeezes.Count; turn > 0 && TryTurn(state.Squeezes.First!, quickAlone); turn--)
        {
        }
        ChargedBytes += LastSliceBytes;
        return _worked;
    }

    // A unit or a piece of eviction that is dearer than the whole slice is worked on alone.
    private bool HasRoom(PageTable table) =>
        LastSliceBytes == 0 || LastSliceBytes + state.Cache.Interior.DearestCharge(table) <= SliceBytes;

    // False when the slice is used up. While memory is waited for, what is slow to encode waits for what is quick.
    private bool TryTurn(Sequence sequence, bool quickAlone)
    {
        if (sequence.Table is not { } table || sequence.Spill is not null)
        {
            state.Squeezes.RemoveFirst();
            return true;
        }
        if (quickAlone && !state.IsQuick(sequence))
        {
            state.Squeezes.Rotate();
            return true;
        }
        if (!HasRoom(table))
        {
            return false;
        }
        SqueezeOutcome outcome = Work(table, TurnUnits);
        GiveWayTo(outcome);
        if (outcome == SqueezeOutcome.Done)
        {
            state.Squeezes.RemoveFirst();
        }
        else
        {
            state.Squeezes.Rotate();
        }
        sequence.PublishTable();
        return true;
    }

    // Shadows give way to squeezing, which frees bytes for good; the next slice finds the room.
    private void GiveWayTo(SqueezeOutcome outcome) => _worked |= outcome == SqueezeOutcome.NoRoom && state.Undos.TryGiveWay();

    private SqueezeOutcome Work(PageTable table, int units)
    {
        (long moved, long guarded) = (table.TranscodedUnits, table.GuardedUnits);
        long live = state.LiveBytes;
        SqueezeOutcome outcome = SqueezeOutcome.Worked;
        for (int unit = 0; unit < units && HasRoom(table) && outcome == SqueezeOutcome.Worked; unit++)
        {
            SqueezeStep step = state.Cache.StepTowardsRung(table);
            outcome = step.Outcome;
            LastSliceBytes += step.Charge;
            _worked |= outcome == SqueezeOutcome.Worked;
        }
        Units += table.TranscodedUnits - moved;
        GuardedUnits += table.GuardedUnits - guarded;
        ReclaimedBytes += Math.Max(0, live - state.LiveBytes);
        return outcome;
    }
}
