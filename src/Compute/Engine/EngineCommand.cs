namespace Concertina.Compute.Engine;

/// <summary>Something the outside asks of the engine's thread.</summary>
/// <param name="Kind">What is asked.</param>
/// <param name="Target">A run to submit or cancel, the sequence to close, assign, spill or look at, or a request for another budget.</param>
/// <param name="Done">Completes when a sequence is closed, or its page file whole.</param>
internal readonly record struct EngineCommand(EngineCommandKind Kind, object Target, TaskCompletionSource? Done = null);

/// <summary>What the outside may ask.</summary>
internal enum EngineCommandKind
{
    Submit,
    Cancel,
    Close,
    Assign,
    Spill,
    Budget,

    /// <summary>A step, because something about the sequence has changed.</summary>
    Look,
}
