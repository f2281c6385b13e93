using Concertina.Runtime.Waiting;

namespace Concertina.Runtime.Activations;

/// <summary>Something that runs in an activation: a call, a stream pull or a timer tick. Waits in the mailbox until it may start.</summary>
internal abstract class WorkItem
{
    internal WorkItem? Next { get; set; }

    internal WorkItem? Previous { get; set; }

    internal WorkList? List { get; set; }

    /// <summary>Order of arrival in the mailbox.</summary>
    internal long Number { get; set; }

    /// <summary>Set when the item is put into a mailbox.</summary>
    internal Activation? At { get; set; }

    /// <summary>Starts at once, whatever else runs.</summary>
    internal abstract bool Interleaves { get; }

    /// <summary>Counts against the bound of the mailbox.</summary>
    internal abstract bool Counts { get; }

    /// <summary>What the deadlock detector knows of it; null when there is no detector.</summary>
    internal CallFrame? Frame { get; set; }

    /// <summary>Runs the first turn, on the activation's scheduler. Must lead to exactly one <see cref="Activation.Finish"/>.</summary>
    internal abstract void Start();
}
