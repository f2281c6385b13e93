namespace Concertina.Compute.Engine;

/// <summary>
/// How the outside owns a sequence of the engine: its tokens and its page table. Disposing it ends what runs and frees
/// the units; full columns may stay as prefix cache. Snapshot properties may be read from any thread.
/// </summary>
public abstract class SequenceHandle : IAsyncDisposable
{
    /// <summary>Whose sequence it is.</summary>
    public abstract SequenceIdentity Identity { get; }

    /// <summary>Tokens of the sequence, prompt and answers.</summary>
    public abstract int TokenCount { get; }

    /// <summary>Tokens whose units are in the arena.</summary>
    public abstract int WarmTokens { get; }

    /// <summary>Physical bytes the page table refers to.</summary>
    public abstract long KvBytes { get; }

    /// <summary>True while every column is exact.</summary>
    public abstract bool Exact { get; }

    /// <summary>Name of the deepest rung any of its units is on.</summary>
    public abstract string Rung { get; }

    /// <summary>True while a generation runs or waits in the queue.</summary>
    public abstract bool Busy { get; }

    /// <summary>
    /// Compares the prompt with the tokens held, keeps the longest common prefix (at least the last prompt token is
    /// recomputed), cuts the rest and queues the generation.
    /// </summary>
    public abstract ValueTask<SubmitResult> SubmitAsync(GenerationSpec spec, CancellationToken cancellation);

    /// <summary>A copy of the sequence's tokens; empty while a generation runs.</summary>
    public abstract int[] CopyTokens();

    /// <summary>Sets the tokens of a fresh handle, for a session restored from its file; their units are recomputed on the next request.</summary>
    public abstract void RestoreTokens(ReadOnlySpan<int> tokens);

    /// <summary>
    /// Says under which epoch the sequence is kept on disk: from then on its units may be spilled to its page file, and are looked
    /// for there.
    /// </summary>
    /// <param name="epoch">Epoch of its owner, from 0; null: it is not kept any more.</param>
    public virtual void Keep(long? epoch)
    {
    }

    /// <summary>
    /// Spills the units of an idle sequence now. Completes when its page file is whole, or will not be: it runs, it is not kept, or
    /// the disk refused.
    /// </summary>
    public virtual Task SpillAsync() => Task.CompletedTask;

    /// <inheritdoc/>
    public abstract ValueTask DisposeAsync();
}
