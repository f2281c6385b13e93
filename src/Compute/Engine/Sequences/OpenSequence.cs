using Concertina.Compute.Engine.Scheduling;

namespace Concertina.Compute.Engine;

/// <summary>The engine's own handle: the thread-safe face of a <see cref="Sequence"/>.</summary>
internal sealed class OpenSequence(Sequence sequence, EngineState state, Action wake, Action<Sequence> closed) : SequenceHandle
{
    /// <summary>What the engine knows of it.</summary>
    internal Sequence Sequence => sequence;

    /// <summary>How long a submit waits for a predecessor that is already cancelled.</summary>
    private static readonly TimeSpan PredecessorWait = TimeSpan.FromSeconds(1);

    private readonly Intake _intake = state.Intake;

    public override SequenceIdentity Identity => sequence.Identity;

    public override int TokenCount => sequence.Tokens.Count;

    public override int WarmTokens => sequence.WarmTokens;

    public override long KvBytes => sequence.KvBytes;

    public override bool Exact => sequence.Exact;

    public override string Rung => state.Ladder[sequence.Rung].Name;

    public override bool Busy
    {
        get
        {
            lock (sequence.Gate)
            {
                return sequence.Current is not null;
            }
        }
    }

    public override ValueTask<SubmitResult> SubmitAsync(GenerationSpec spec, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(spec);
        if (cancellation.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<SubmitResult>(cancellation);
        }
        if (_intake.Check(spec, out RunBounds bounds) is { } refusal)
        {
            return new ValueTask<SubmitResult>(new SubmitResult(null, refusal));
        }
        lock (sequence.Gate)
        {
            return sequence.Current is { IsCancelled: true } predecessor
                ? AwaitPredecessor(predecessor, spec, bounds, cancellation)
                : new ValueTask<SubmitResult>(Submit(spec, bounds));
        }
    }

    public override int[] CopyTokens()
    {
        lock (sequence.Gate)
        {
            return sequence.Current is null ? sequence.Tokens.Span.ToArray() : [];
        }
    }

    public override void RestoreTokens(ReadOnlySpan<int> tokens)
    {
        lock (sequence.Gate)
        {
            if (sequence.Current is not null || sequence.Last is not null || sequence.Tokens.Count > 0)
            {
                throw new InvalidOperationException(
                    $"Sequence {Identity.Key} already holds {sequence.Tokens.Count} tokens; only a fresh handle can be restored.");
            }
            sequence.Tokens.Replace(tokens);
        }
    }

    public override void Keep(long? epoch)
    {
        bool mayBeSpilled = sequence.Epoch is null && epoch is not null;
        sequence.Epoch = epoch;
        if (mayBeSpilled)
        {
            // An engine that has gone to rest meanwhile would not know that this one is due some time.
            _intake.TryPost(new EngineCommand(EngineCommandKind.Look, sequence));
        }
    }

    public override Task SpillAsync()
    {
        TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        return _intake.TryPost(new EngineCommand(EngineCommandKind.Spill, sequence, done)) ? done.Task : Task.CompletedTask;
    }

    public override ValueTask DisposeAsync()
    {
        lock (sequence.Gate)
        {
            if (sequence.Closed)
            {
                return ValueTask.CompletedTask;
            }
            sequence.Closed = true;
        }
        closed(sequence);
        TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        return _intake.TryPost(new EngineCommand(EngineCommandKind.Close, sequence, done)) ? new ValueTask(done.Task) : ValueTask.CompletedTask;
    }

    private async ValueTask<SubmitResult> AwaitPredecessor(
        TokenStream predecessor, GenerationSpec spec, RunBounds bounds, CancellationToken cancellation)
    {
        try
        {
            await predecessor.Ended.WaitAsync(PredecessorWait, state.Time, cancellation).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            return new SubmitResult(null, _intake.RefuseBusy(predecessor.RequestId));
        }
        lock (sequence.Gate)
        {
            return Submit(spec, bounds);
        }
    }

    // Under the gate.
    private SubmitResult Submit(GenerationSpec spec, RunBounds bounds)
    {
        ObjectDisposedException.ThrowIf(sequence.Closed, this);
        if (sequence.Current is { } running)
        {
            return new SubmitResult(null, _intake.RefuseBusy(running.RequestId));
        }
        Run? run = null;
        TokenStream stream = new(spec, state.Options.ReaderBufferTokens, cancelled => Cancel(cancelled, run!), wake);
        run = new Run(sequence, spec, stream) { Bounds = bounds, SubmittedAt = state.Time.GetTimestamp() };
        sequence.Current = stream;
        if (_intake.TrySubmit(run) is { } refusal)
        {
            sequence.Current = null;
            return new SubmitResult(null, refusal);
        }
        return new SubmitResult(stream, null);
    }

    private void Cancel(TokenStream cancelled, Run run)
    {
        lock (sequence.Gate)
        {
            if (sequence.Current is null && sequence.Last == cancelled)
            {
                sequence.Tokens.Cut(cancelled.PromptTokens + cancelled.KeepTokens!.Value); // it had ended before the cancel
            }
        }
        _intake.TryPost(new EngineCommand(EngineCommandKind.Cancel, run));
    }
}
