namespace Concertina.Compute.Engine;

/// <summary>Why the engine did not take a request.</summary>
public enum RefusalKind
{
    /// <summary>The sequence has a running request.</summary>
    Busy,

    /// <summary>The prompt exceeds the model's context.</summary>
    ContextLength,

    /// <summary>The commitment can never fit the budget.</summary>
    NeverFits,

    /// <summary>The bounded queue is full.</summary>
    QueueFull,

    /// <summary>The engine is draining or stopped.</summary>
    Draining,

    /// <summary>The engine has stalled.</summary>
    Stalled,

    /// <summary>The request is malformed.</summary>
    Invalid,
}
