using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Transcoding;
using Concertina.Compute.Model;

namespace Concertina.Compute.Engine.Undo;

/// <summary>
/// Computes squeezed sequences anew in shadow tables, in rows of steps that are idle and a small share of the rows of
/// others, and swaps a table when its shadow has caught up. By the row law the rows do not change anybody's result, and the
/// sequence goes on as if it had never been squeezed. Engine thread only.
/// </summary>
internal sealed class UndoStage(EngineState state)
{
    /// <summary>Rows a step must leave for undo so that a stream, which grows by a row a step, can be caught up with.</summary>
    private const double LeastRowsForStreams = 1.5;

    private readonly double _rowsPerRow = state.Options.UndoShare / (1 - state.Options.UndoShare);
    private double _credit;
    private UndoJob? _job;
    private int _filled;

    /// <summary>Tokens computed anew since start.</summary>
    public long Rows { get; private set; }

    /// <summary>Rows of the step filled last.</summary>
    public int LastRows { get; private set; }

    /// <summary>Adds rows behind those of the step. All rows of a step without others; else rows earned by others, a fraction of one carried on.</summary>
    public void Fill(StepBatch batch)
    {
        _job = null;
        LastRows = 0;
        if (state.Undos.Count == 0)
        {
            _credit = 0;
            return;
        }
        double earned = batch.RowCount * _rowsPerRow;
        _credit = Math.Min(_credit, 1) + earned;
        int room = batch.RowCount == 0 ? batch.MaxRows : Math.Min((int)_credit, batch.MaxRows - batch.RowCount);
        state.Undos.KeepWithin();
        if (room == 0 || state.Undos.Next(batch.RowCount == 0 || earned >= LeastRowsForStreams) is not { } job)
        {
            return;
        }
        int others = batch.RowCount;
        Add(batch, job, room);
        LastRows = batch.RowCount - others;
        _credit -= others == 0 ? 0 : LastRows;
    }

    /// <summary>The forward pass is done: the rows are written.</summary>
    public void Commit()
    {
        if (_job?.Shadow is { } shadow)
        {
            state.Cache.Commit(shadow, _filled);
            Rows += LastRows;
        }
    }

    /// <summary>Swaps the table, once what ended in this step is settled.</summary>
    public void TrySwap()
    {
        if (_job is { Shadow: { } shadow } job && shadow.TokenCount == job.Sequence.Table!.TokenCount)
        {
            state.Undos.Swap(job);
            if (job.Target > 0)
            {
                state.Squeezes.Add(job.Sequence);
            }
        }
        _job = null;
    }

    /// <summary>The forward pass failed: what it wrote is worth nothing, and the sequence stays as it is.</summary>
    public void Fail()
    {
        if (_job is { } job)
        {
            state.Undos.Drop(job.Sequence);
        }
        _job = null;
    }

    private void Add(StepBatch batch, UndoJob job, int room)
    {
        PageTable shadow = job.Shadow!;
        _job = job;
        lock (job.Sequence.Gate) // an idle sequence's tokens may be cut by a late cancel
        {
            TokenList tokens = job.Sequence.Tokens;
            // A stream's last token is known and may already have its row in this step, so that the shadow can meet the table.
            int known = job.Runs ? tokens.Count : Math.Min(job.Sequence.Table!.TokenCount, tokens.Count);
            int rows = Math.Min(room, known - shadow.TokenCount);
            _filled = shadow.TokenCount + Math.Max(0, rows);
            if (rows <= 0 || Squeezer.PendingColumns(shadow, _filled) > state.Commitments.PendingColumns)
            {
                _filled = shadow.TokenCount; // on a deeper rung it waits for the squeeze after the step, as prompts do
                return;
            }
            if (!state.Cache.TryReserve(shadow, _filled))
            {
                state.Undos.Abandon(job);
                return;
            }
            batch.Add(shadow, shadow.TokenCount, tokens.Span[shadow.TokenCount.._filled], logitRows: 0);
        }
    }
}
