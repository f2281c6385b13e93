using Concertina.Compute.Engine;
using Concertina.Contracts.Sessions;
using Concertina.Grains.Workers;
using Microsoft.Extensions.Logging;

namespace Concertina.Grains.Sessions;

/// <summary>
/// A session while it is active: its sequence and the flag that lets one request write at a time. All calls
/// come from one activation's turns; they interleave at awaits.
/// </summary>
internal sealed class LiveSession(
    string key, LocalWorker worker, SessionRecord record, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan CancelWait = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan EndingWait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan EndWait = TimeSpan.FromSeconds(5);
    private const ConfigureAwaitOptions SaveIsReported = ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext;
    private readonly SequenceKey _key = SequenceKey.Parse(key);
    private readonly SessionUnits _units = new(key, worker, record);
    private GenerationRun? _running;
    private Task _saving = Task.CompletedTask;
    private Task _deleting = Task.CompletedTask;

    public bool IsEphemeral => _key.IsEphemeral;

    /// <summary>True when no request runs and its file is past its time, or gone.</summary>
    public bool IsExpired => _running is null && !record.HasFile;

    public string DeterminismClass => worker.Served?.Facts.DeterminismClass ?? "";

    /// <summary>Opens what an earlier activation left, so that its tokens are known before the first request.</summary>
    public Task Restore() => record.Exists && worker.Served is not null ? _units.Open(cacheSalt: null) : Task.CompletedTask;

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
        await Task.WhenAny(_deleting);
        if (_running is not null)
        {
            return GenerateChecks.Busy(_running.RequestId);
        }
        _running = run;
        try
        {
            return await Submit(run, request, staged, cancellation);
        }
        finally
        {
            run.SetBegun();
        }
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
        _units.Handle is not null || record.Exists,
        _running is not null,
        _units.Handle?.TokenCount ?? record.State.TokenCount,
        _units.Handle?.WarmTokens ?? 0,
        _units.Handle?.KvBytes ?? 0,
        _units.Handle?.Exact ?? true,
        _units.Handle is { WarmTokens: > 0 } warm ? warm.Rung : record.State.Rung);

    /// <summary>
    /// Removes the session: what runs ends, units, file and state go. A request that comes meanwhile waits, so that it
    /// finds nothing of what was removed.
    /// </summary>
    public Task Delete() => _deleting.IsCompleted ? _deleting = DeleteOnce() : _deleting;

    /// <summary>The activation ends: units go to the page file, or back; what is being saved is saved.</summary>
    public async Task Shut()
    {
        await _units.Spill();
        await _units.Close();
        await _saving.ConfigureAwait(SaveIsReported);
    }

    private async Task<Refusal?> Submit(GenerationRun run, GenerateRequest request, int[]? staged, CancellationToken cancellation)
    {
        SequenceHandle handle = await _units.Open(request.CacheSalt);
        if (run.Discarded)
        {
            return GenerateChecks.Deleted();
        }
        ReadOnlyMemory<int> prompt = staged ?? TokenPacking.Unpack(request.Prompt);
        SubmitResult result = await handle.SubmitAsync(EngineMessages.Spec(request, prompt), cancellation);
        if (result.Generation is { } generation)
        {
            run.Start(generation);
            return null;
        }
        return EngineMessages.Refusal(result.Refusal!);
    }

    private async Task DeleteOnce()
    {
        if (_running is { } run)
        {
            run.Discarded = true;
            run.Cancel(0);
            // Until then it may still put a handle with the tokens of before in place.
            await run.Begun;
            _running = _running == run ? null : _running;
        }
        await _units.Close();
        await _saving.ConfigureAwait(SaveIsReported);
        await record.Delete();
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
        try
        {
            using CancellationTokenSource timeout = new(EndWait, time);
            if (!await run.Drain(timeout.Token))
            {
                GrainsLog.EndNotSeen(logger, key, EndWait.TotalSeconds);
            }
            return await Save(run) && await CloseEphemeral(run);
        }
        catch (Exception problem)
        {
            // The handle may be broken: the activation ends, the next one starts from what is durable.
            GrainsLog.EndFailed(logger, key, problem);
            return false;
        }
        finally
        {
            _running = _running == run ? null : _running;
            run.SetEnded();
        }
    }

    private async Task<bool> Save(GenerationRun run)
    {
        if (run.End is not { } end || _units.Handle is not { } handle || run.Discarded)
        {
            return true;
        }
        Log(run, end);
        Task<bool> saving = record.Save(
            new SessionSaveRequest(handle.CopyTokens(), worker.Key, worker.Served!.Facts.Hash, run.PromptTokens, end.GeneratedTokens)
            {
                Rung = handle.Rung,
            });
        _saving = saving;
        bool owns = await saving;
        handle.Keep(owns ? record.KeptEpoch : null);
        return owns;
    }

    private async Task<bool> CloseEphemeral(GenerationRun run)
    {
        if (IsEphemeral && _running == run)
        {
            await _units.Close();
        }
        return true;
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
