using Concertina.Compute.Engine;
using Concertina.Compute.KvCache;
using Concertina.Contracts.Sessions;
using Concertina.Grains.Workers;
using Microsoft.Extensions.Logging;

namespace Concertina.Grains.Sessions;

/// <summary>
/// A session while it is active: the handle of its sequence and the flag that lets one request write at a time. All calls
/// come from one activation's turns; they interleave at awaits.
/// </summary>
internal sealed class LiveSession(
    string key, LocalWorker worker, SessionRecord record, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan CancelWait = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan EndingWait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan EndWait = TimeSpan.FromSeconds(5);
    private readonly SequenceKey _key = SequenceKey.Parse(key);
    private SequenceHandle? _handle;
    private string? _cacheSalt;
    private GenerationRun? _running;
    private Task _saving = Task.CompletedTask;

    public bool IsEphemeral => _key.IsEphemeral;

    public string DeterminismClass => worker.Served?.Facts.DeterminismClass ?? "";

    /// <summary>Takes the session's turn and hands the request to the engine.</summary>
    /// <returns>Why not; null when the run has started.</returns>
    public async Task<Refusal?> Begin(GenerationRun run, GenerateRequest request, int[]? staged, CancellationToken cancellation)
    {
        if (GenerateChecks.Refuse(_key, request, staged, worker) is { } refusal)
        {
            return refusal;
        }
        if (_running is { } predecessor)
        {
            await WaitFor(predecessor, cancellation);
        }
        if (_running is not null)
        {
            return GenerateChecks.Busy(_running.RequestId);
        }
        _running = run;
        SequenceHandle handle = await Open(request.CacheSalt);
        ReadOnlyMemory<int> prompt = staged ?? TokenPacking.Unpack(request.Prompt);
        SubmitResult result = await handle.SubmitAsync(EngineMessages.Spec(request, prompt), cancellation);
        if (result.Generation is { } generation)
        {
            run.Start(generation);
            return null;
        }
        return EngineMessages.Refusal(result.Refusal!);
    }

    /// <summary>Opens the sequence: with the tokens of its file on first use, with those it has when the salt changes.</summary>
    public async Task<SequenceHandle> Open(string? cacheSalt)
    {
        if (_handle is { } open && _cacheSalt == cacheSalt)
        {
            return open;
        }
        ServedModel served = worker.Served ?? throw new InvalidOperationException($"Worker '{worker.Key}' has no model yet.");
        int[] tokens = _handle is { } other ? other.CopyTokens() : await record.Load(served.Facts.Hash);
        await Close();
        SequenceHandle handle = served.Engine.Open(new SequenceIdentity(key, _key.TenantId, PrefixScope.For(_key.TenantId, cacheSalt)));
        handle.RestoreTokens(tokens);
        (_handle, _cacheSalt) = (handle, cacheSalt);
        return handle;
    }

    /// <summary>Ends a request by its caller's wish.</summary>
    public void Cancel(string requestId, int keepTokens)
    {
        if (_running is { } run && run.RequestId == requestId)
        {
            run.Cancel(keepTokens);
        }
    }

    /// <summary>Waits for the run's end, makes the session durable and frees it. Calling twice is fine.</summary>
    /// <returns>False when another activation owns the session now.</returns>
    public Task<bool> Complete(GenerationRun run) => run.Completion ??= CompleteOnce(run);

    public SessionStatus Status() => new(
        _handle is not null || record.Exists,
        _running is not null,
        _handle?.TokenCount ?? record.State.TokenCount,
        _handle?.WarmTokens ?? 0,
        _handle?.KvBytes ?? 0,
        _handle?.Exact ?? true);

    /// <summary>Removes the session: what runs ends, units, file and state go.</summary>
    public async Task Delete()
    {
        if (_running is { } run)
        {
            run.Discarded = true;
            run.Cancel(0);
            _running = null;
        }
        await Close();
        await _saving;
        await record.Delete();
    }

    /// <summary>Gives the units back; the engine ends what still runs on them.</summary>
    public async Task Close()
    {
        SequenceHandle? handle = _handle;
        _handle = null;
        if (handle is not null)
        {
            await handle.DisposeAsync();
        }
    }

    /// <summary>The activation ends: units go back, what is being saved is saved.</summary>
    public async Task Shut()
    {
        await Close();
        await _saving;
    }

    /// <summary>
    /// A client that reconnects may be faster than the news that its first connection is gone: a moment for the cancel to
    /// arrive, then a second for the engine to end what was cancelled.
    /// </summary>
    private async Task WaitFor(GenerationRun predecessor, CancellationToken cancellation)
    {
        await Task.WhenAny(predecessor.Ending, Task.Delay(CancelWait, time, cancellation));
        if (predecessor.IsEnding)
        {
            await Task.WhenAny(predecessor.Ended, Task.Delay(EndingWait, time, cancellation));
        }
        cancellation.ThrowIfCancellationRequested();
    }

    private async Task<bool> CompleteOnce(GenerationRun run)
    {
        using CancellationTokenSource timeout = new(EndWait, time);
        if (!await run.Drain(timeout.Token))
        {
            GrainsLog.EndNotSeen(logger, key, EndWait.TotalSeconds);
        }
        bool owned = true;
        if (run.End is { } end && _handle is { } handle && !run.Discarded)
        {
            Log(run, end);
            Task<bool> saving = record.Save(new SessionSaveRequest(
                handle.CopyTokens(), worker.Key, worker.Served!.Facts.Hash, run.PromptTokens, end.GeneratedTokens));
            _saving = saving;
            owned = await saving;
        }
        if (_running == run)
        {
            if (IsEphemeral)
            {
                await Close();
            }
            _running = null;
        }
        run.SetEnded();
        return owned;
    }

    private void Log(GenerationRun run, GenerationEnd end)
    {
        if (end.Kind == FinishKind.Error)
        {
            GrainsLog.Failed(logger, key, end.ErrorCode ?? "unknown", end.ErrorMessage ?? "");
        }
        GrainsLog.Ended(logger, key, end.Kind, run.PromptTokens, run.CachedTokens, end.GeneratedTokens);
    }
}
