namespace Concertina.Compute.Engine;

/// <summary>
/// A running generation as its one reader sees it: a bounded buffer of tokens the engine fills and the reader drains.
/// A full buffer makes the sequence skip steps; a reader that stays away longer than
/// <see cref="EngineOptions.SlowReaderSeconds"/> has its generation cancelled with an error.
/// </summary>
public abstract class Generation
{
    /// <summary>The request's id.</summary>
    public abstract string RequestId { get; }

    /// <summary>Prompt length in tokens.</summary>
    public abstract int PromptTokens { get; }

    /// <summary>Prompt tokens whose KV was reused; valid once <see cref="WaitForStartAsync"/> returned.</summary>
    public abstract int CachedTokens { get; }

    /// <summary>Completes when the request left the queue and its first token (or its end) exists.</summary>
    public abstract ValueTask WaitForStartAsync(CancellationToken cancellation);

    /// <summary>Waits until at least one token or the end is there, then moves tokens into the buffer.</summary>
    /// <param name="tokens">Receives token ids.</param>
    /// <param name="cancellation">Cancels the wait, not the generation.</param>
    /// <returns>Tokens moved; 0 means the generation ended and all its tokens were read (see <see cref="End"/>).</returns>
    public abstract ValueTask<int> ReadAsync(Memory<int> tokens, CancellationToken cancellation);

    /// <summary>How it ended; null while it runs.</summary>
    public abstract GenerationEnd? End { get; }

    /// <summary>Ends it. Idempotent. Units beyond what stays are back within a step.</summary>
    /// <param name="keepTokens">Generated tokens that stay part of the sequence; null: all read so far.</param>
    public abstract void Cancel(int? keepTokens = null);
}
