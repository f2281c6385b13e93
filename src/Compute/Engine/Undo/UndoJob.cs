using Concertina.Compute.KvCache;

namespace Concertina.Compute.Engine.Undo;

/// <summary>A sequence whose cache is to be computed anew at a better rung: plain data, engine thread only.</summary>
internal sealed class UndoJob
{
    public UndoJob(Sequence sequence, int target)
    {
        Sequence = sequence;
        Target = target;
        Place = new LinkedListNode<UndoJob>(this);
    }

    public Sequence Sequence { get; }

    /// <summary>Rung the new table is on.</summary>
    public int Target { get; set; }

    /// <summary>The table that is being computed; null while the sequence waits for its turn.</summary>
    public PageTable? Shadow { get; set; }

    /// <summary>Place in one of the queue's lists.</summary>
    public LinkedListNode<UndoJob> Place { get; }

    /// <summary>True when its sequence holds a commitment: then it goes before idle ones.</summary>
    public bool Runs => Sequence.CurrentRun is { State: Scheduling.RunState.Running };

    /// <summary>Tokens that are to be computed, those of a shadow that are done not counted.</summary>
    public int TokensLeft => Math.Max(0, Sequence.Table!.TokenCount - (Shadow?.TokenCount ?? Sequence.Table.ExactTokens));
}
