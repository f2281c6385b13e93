using System.Threading.Tasks.Sources;

namespace Concertina.Compute.Engine;

/// <summary>
/// The engine's side of a <see cref="Generation"/>: a ring of tokens with one writer (the engine's thread) and one
/// reader. Neither side locks; a waiting reader is resumed on the thread pool, never on the engine's thread, and waiting
/// allocates nothing.
/// </summary>
/// <remarks>
/// Both directions use the same handshake: publish, full fence, look at the other side's flag. A side that finds the flag
/// set takes it back with an exchange, so exactly one of the two completes a wait.
/// </remarks>
internal sealed class TokenStream : Generation, IValueTaskSource<int>, IValueTaskSource, IThreadPoolWorkItem
{
    private const int NotCancelled = -1;

    private readonly int[] _ring;
    private readonly Action<TokenStream> _cancel;
    private readonly Action _wakeEngine;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ManualResetValueTaskSourceCore<bool> _wait;
    private CancellationTokenRegistration _registration;
    private CancellationToken _waitCancellation;
    private Memory<int> _target;
    private Ending? _ending;
    private long _written;
    private long _read;
    private int _readerWaits;
    private int _readerBusy;
    private int _writerBlocked;
    private int _keepTokens = NotCancelled;
    private int _cachedTokens;

    /// <param name="spec">What is generated.</param>
    /// <param name="ringTokens">Tokens the reader may lie behind.</param>
    /// <param name="cancel">Tells the engine that the reader wants the end; once.</param>
    /// <param name="wakeEngine">Tells the engine that a full ring has room again.</param>
    public TokenStream(GenerationSpec spec, int ringTokens, Action<TokenStream> cancel, Action wakeEngine)
    {
        RequestId = spec.RequestId;
        PromptTokens = spec.Prompt.Length;
        _ring = new int[ringTokens];
        _cancel = cancel;
        _wakeEngine = wakeEngine;
    }

    public override string RequestId { get; }

    public override int PromptTokens { get; }

    public override int CachedTokens => Volatile.Read(ref _cachedTokens);

    public override GenerationEnd? End => Volatile.Read(ref _ending)?.End;

    /// <summary>Completes with the end.</summary>
    public Task Ended => _ended.Task;

    /// <summary>True once its reader wants it to end.</summary>
    public bool IsCancelled => Volatile.Read(ref _keepTokens) != NotCancelled;

    /// <summary>Generated tokens that stay after a cancel; null while it is not cancelled.</summary>
    public int? KeepTokens
    {
        get
        {
            int keep = Volatile.Read(ref _keepTokens);
            return keep == NotCancelled ? null : keep;
        }
    }

    /// <summary>True when a token more would overwrite one not yet read.</summary>
    public bool IsFull => _written - Volatile.Read(ref _read) >= _ring.Length;

    public override ValueTask WaitForStartAsync(CancellationToken cancellation)
    {
        return Volatile.Read(ref _written) > 0 || End is not null
            ? ValueTask.CompletedTask
            : BeginWait(default, cancellation) ? new ValueTask(this, _wait.Version) : ValueTask.CompletedTask;
    }

    public override ValueTask<int> ReadAsync(Memory<int> tokens, CancellationToken cancellation)
    {
        if (tokens.IsEmpty)
        {
            throw new ArgumentException("The buffer has room for 0 tokens; 0 tokens read would look like the end.", nameof(tokens));
        }
        if (cancellation.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<int>(cancellation);
        }
        int count;
        while (!TryRead(tokens.Span, out count))
        {
            if (BeginWait(tokens, cancellation))
            {
                return new ValueTask<int>(this, _wait.Version);
            }
        }
        return new ValueTask<int>(count);
    }

    public override void Cancel(int? keepTokens = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(keepTokens ?? 0, nameof(keepTokens));
        if (keepTokens is null && End is not null)
        {
            return; // nothing to end, and no cut was asked for
        }
        int keep = keepTokens ?? (int)Volatile.Read(ref _read);
        if (Interlocked.CompareExchange(ref _keepTokens, keep, NotCancelled) == NotCancelled)
        {
            _cancel(this);
        }
    }

    /// <summary>Moves what is there; false when the reader has to wait.</summary>
    public bool TryRead(Span<int> tokens, out int count)
    {
        Ending? ending = Volatile.Read(ref _ending); // before the count: once the end is seen, so is all that was written
        count = (int)Math.Clamp(Readable(ending) - _read, 0, tokens.Length);
        if (count == 0)
        {
            return ending is not null;
        }
        for (int i = 0; i < count; i++)
        {
            tokens[i] = _ring[(int)((_read + i) % _ring.Length)];
        }
        Interlocked.Exchange(ref _read, _read + count);
        if (Volatile.Read(ref _writerBlocked) != 0 && Interlocked.Exchange(ref _writerBlocked, 0) != 0)
        {
            _wakeEngine();
        }
        return true;
    }

    /// <summary>Engine thread: the request was admitted.</summary>
    public void SetCached(int tokens) => Volatile.Write(ref _cachedTokens, tokens);

    /// <summary>Engine thread: asks the reader to wake the engine, if the ring is still full.</summary>
    public bool BlockWhileFull()
    {
        if (!IsFull)
        {
            return false;
        }
        Interlocked.Exchange(ref _writerBlocked, 1);
        return IsFull;
    }

    /// <summary>Engine thread: delivers one token; the ring is not full.</summary>
    public void Write(int token)
    {
        _ring[(int)(_written % _ring.Length)] = token;
        Interlocked.Exchange(ref _written, _written + 1);
        WakeReader();
    }

    /// <summary>Engine thread: no more tokens come.</summary>
    /// <param name="end">How it ended.</param>
    /// <param name="deliverTokens">Tokens the reader may get in all; what lies beyond was cut.</param>
    public void Complete(GenerationEnd end, long deliverTokens)
    {
        Interlocked.Exchange(ref _ending, new Ending(end, deliverTokens));
        WakeReader();
        _ended.TrySetResult();
    }

    void IThreadPoolWorkItem.Execute()
    {
        if (_waitCancellation.IsCancellationRequested && !IsReadable)
        {
            _wait.SetException(new OperationCanceledException(_waitCancellation));
        }
        else
        {
            _wait.SetResult(true);
        }
    }

    int IValueTaskSource<int>.GetResult(short token)
    {
        Memory<int> target = _target;
        EndWait(token);
        TryRead(target.Span, out int count);
        return count;
    }

    void IValueTaskSource.GetResult(short token) => EndWait(token);

    public ValueTaskSourceStatus GetStatus(short token) => _wait.GetStatus(token);

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _wait.OnCompleted(continuation, state, token, flags);

    private bool IsReadable => Volatile.Read(ref _ending) is not null || Volatile.Read(ref _written) > _read;

    private long Readable(Ending? ending) => Math.Min(Volatile.Read(ref _written), ending?.DeliverTokens ?? long.MaxValue);

    /// <returns>False when there is something to read after all.</returns>
    private bool BeginWait(Memory<int> target, CancellationToken cancellation)
    {
        if (Interlocked.Exchange(ref _readerBusy, 1) != 0)
        {
            throw new InvalidOperationException($"Generation {RequestId} has a reader that waits; a generation has one reader.");
        }
        _wait.Reset();
        _target = target;
        _waitCancellation = cancellation;
        Interlocked.Exchange(ref _readerWaits, 1);
        if (IsReadable && Interlocked.Exchange(ref _readerWaits, 0) != 0)
        {
            Volatile.Write(ref _readerBusy, 0);
            return false;
        }
        _registration = cancellation.UnsafeRegister(static state => ((TokenStream)state!).WakeReader(), this);
        return true;
    }

    private void EndWait(short token)
    {
        try
        {
            _wait.GetResult(token);
        }
        finally
        {
            _registration.Dispose();
            _registration = default;
            _target = default;
            Volatile.Write(ref _readerBusy, 0);
        }
    }

    private void WakeReader()
    {
        if (Volatile.Read(ref _readerWaits) != 0 && Interlocked.Exchange(ref _readerWaits, 0) != 0)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    private sealed record Ending(GenerationEnd End, long DeliverTokens);
}
