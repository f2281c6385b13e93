namespace Concertina.Compute.Engine.Scheduling;

/// <summary>Why a run ends.</summary>
/// <param name="Kind">How.</param>
/// <param name="ErrorCode">Stage and cause of a failure.</param>
/// <param name="ErrorMessage">What failed, the values, what to do.</param>
internal readonly record struct RunOutcome(FinishKind Kind, string? ErrorCode = null, string? ErrorMessage = null)
{
    public static RunOutcome Cancelled => new(FinishKind.Cancelled);

    public static RunOutcome Length => new(FinishKind.Length);

    /// <summary>The stop token that ended it.</summary>
    public int? StopToken { get; init; }

    /// <summary>Set when it never left the queue.</summary>
    public EngineRefusal? Refusal { get; init; }

    /// <summary>True when nothing in its table can be trusted; its tokens stay.</summary>
    public bool DiscardUnits { get; init; }
}
