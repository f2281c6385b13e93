using System.Runtime.CompilerServices;
using Concertina.Compute.Engine;
using Concertina.Contracts.Sessions;

namespace Concertina.Grains.Sessions;

/// <summary>
/// One generation as its iterator owns it. Enumeration interleaves with every other call of the grain, so nothing of a
/// generation lives in the grain's fields. <see cref="Cancel"/> may be called from any thread.
/// </summary>
internal sealed class GenerationRun(string requestId)
{
    private const int ChunkTokens = 256;
    private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ending = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _lock = new();
    private Generation? _generation;
    private int? _keepTokens;
    private bool _cancelled;

    public string RequestId { get; } = requestId;

    /// <summary>True once its caller wants it to end, or it has ended by itself.</summary>
    public bool IsEnding => _ending.Task.IsCompleted;

    /// <summary>True when the session was deleted under it: nothing of it is kept.</summary>
    public bool Discarded { get; set; }

    /// <summary>Completes when its caller wants it to end, or it has ended by itself.</summary>
    public Task Ending => _ending.Task;

    /// <summary>Completes when the engine has it or it was refused.</summary>
    public Task Begun => _begun.Task;

    /// <summary>Completes when the session is free for the next request.</summary>
    public Task Ended => _ended.Task;

    /// <summary>How it ended; null while it runs.</summary>
    public GenerationEnd? End => _generation?.End;

    /// <summary>Index of the next token.</summary>
    public int Index { get; private set; }

    /// <summary>The work of ending it, once begun.</summary>
    public Task<bool>? Completion { get; set; }

    public int PromptTokens => _generation?.PromptTokens ?? 0;

    public int CachedTokens => _generation?.CachedTokens ?? 0;

    public void Start(Generation generation)
    {
        lock (_lock)
        {
            _generation = generation;
            if (_cancelled)
            {
                generation.Cancel(_keepTokens);
            }
        }
    }

    /// <summary>Ends the generation; before it started, as soon as it does.</summary>
    public void Cancel(int? keepTokens)
    {
        lock (_lock)
        {
            _keepTokens = _cancelled ? _keepTokens : keepTokens;
            _cancelled = true;
            _generation?.Cancel(_keepTokens);
        }
        _ending.TrySetResult();
    }

    /// <summary>The first chunk: what admission found, or why the request never left the queue.</summary>
    public async Task<TokenChunk> Admission(string determinismClass, CancellationToken cancellation)
    {
        await _generation!.WaitForStartAsync(cancellation);
        return End?.Refusal is { } refusal
            ? new TokenChunk { Refusal = EngineMessages.Refusal(refusal) }
            : new TokenChunk { Admission = new AdmissionFacts(PromptTokens, CachedTokens, determinismClass) };
    }

    /// <summary>The token chunks, with continuous indices.</summary>
    public async IAsyncEnumerable<TokenChunk> Read([EnumeratorCancellation] CancellationToken cancellation)
    {
        int[] tokens = new int[ChunkTokens];
        int count;
        while ((count = await _generation!.ReadAsync(tokens, cancellation)) > 0)
        {
            yield return new TokenChunk { Index = Index, Tokens = TokenPacking.Pack(tokens.AsSpan(0, count)) };
            Index += count;
        }
    }

    /// <summary>Cancels what still runs and reads until the engine has ended it.</summary>
    /// <returns>False when the engine did not end it in time.</returns>
    public async Task<bool> Drain(CancellationToken timeout)
    {
        if (_generation is { End: null })
        {
            Cancel(null);
        }
        try
        {
            int[] rest = new int[ChunkTokens];
            while (_generation is not null && await _generation.ReadAsync(rest, timeout) > 0)
            {
            }
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>Declares that the engine has it, or that it was refused.</summary>
    public void SetBegun() => _begun.TrySetResult();

    /// <summary>Declares the session free.</summary>
    public void SetEnded()
    {
        _ending.TrySetResult();
        _ended.TrySetResult();
    }
}
