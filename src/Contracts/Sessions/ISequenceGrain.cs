using Orleans;
using Orleans.Concurrency;

namespace Concertina.Contracts.Sessions;

/// <summary>
/// One session of one tenant: identity and lifetime of a sequence. Key: <c>tenant/session</c>, or <c>tenant/~random</c>
/// for a request without a session, which keeps no durable state.
/// </summary>
[Alias("concertina.sequence")]
public interface ISequenceGrain : IGrainWithStringKey
{
    /// <summary>
    /// Runs one request on the session's home. The first chunk carries either <see cref="TokenChunk.Admission"/> or
    /// <see cref="TokenChunk.Refusal"/>; then token chunks with continuous indices; the last one carries
    /// <see cref="TokenChunk.Finish"/>. Dropping the enumeration cancels the generation.
    /// </summary>
    /// <param name="request">What to generate. A prompt over 44 KiB packed is staged first (<see cref="Stage"/>).</param>
    /// <param name="cancellation">Cancels the generation; its units are returned within a step.</param>
    [Alias("generate")]
    IAsyncEnumerable<TokenChunk> Generate(GenerateRequest request, CancellationToken cancellation = default);

    /// <summary>Holds one part of a long prompt until <see cref="Generate"/> names the same request id. No message exceeds 64 KiB.</summary>
    [Alias("stage")]
    Task Stage(PromptPart part, CancellationToken cancellation = default);

    /// <summary>
    /// Ends a running request: a stop string matched, or the client went away. Idempotent; unknown ids are ignored.
    /// </summary>
    /// <param name="requestId">The request to end.</param>
    /// <param name="keepTokens">Generated tokens that stay part of the session; tokens beyond are cut.</param>
    /// <param name="cancellation">Cancels this call only.</param>
    [AlwaysInterleave]
    [Alias("cancel")]
    Task Cancel(string requestId, int keepTokens, CancellationToken cancellation = default);

    /// <summary>What the session holds now.</summary>
    [AlwaysInterleave]
    [Alias("status")]
    Task<SessionStatus> Status(CancellationToken cancellation = default);

    /// <summary>Ends what runs, frees every unit and removes the session's files and state.</summary>
    [Alias("delete")]
    Task Delete(CancellationToken cancellation = default);

    /// <summary>Removes the session's files and state if no request runs and its tokens are past their time or gone.</summary>
    /// <returns>True when it was removed.</returns>
    [Alias("expire")]
    Task<bool> Expire(CancellationToken cancellation = default);
}
