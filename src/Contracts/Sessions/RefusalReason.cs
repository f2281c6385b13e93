using Orleans;

namespace Concertina.Contracts.Sessions;

/// <summary>Which rule refused a request.</summary>
[GenerateSerializer]
[Alias("concertina.refusal-reason")]
public enum RefusalReason
{
    /// <summary>The session has a running request (409).</summary>
    [Id(0)] SessionBusy,

    /// <summary>The prompt can never fit the model's context (400).</summary>
    [Id(1)] ContextLength,

    /// <summary>The request can never fit the KV budget at its floor (422).</summary>
    [Id(2)] NeverFits,

    /// <summary>The bounded queue is full (503).</summary>
    [Id(3)] QueueFull,

    /// <summary>The worker is draining (503).</summary>
    [Id(4)] Draining,

    /// <summary>No worker takes requests, or the worker has stalled (503).</summary>
    [Id(5)] Unavailable,

    /// <summary>The request was malformed, for example a token id outside the vocabulary (400).</summary>
    [Id(6)] Invalid,

    /// <summary>The model is still loading (503).</summary>
    [Id(7)] ModelLoading,

    /// <summary>The request follows a routing answer older than the worker's epoch; routing it again helps (503).</summary>
    [Id(8)] StaleRoute,
}
