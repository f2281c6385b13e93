using System.Runtime.CompilerServices;
using Concertina.Compute.Store;
using Concertina.Contracts.Sessions;
using Concertina.Grains.Workers;
using Microsoft.Extensions.Logging;
using Orleans;
using Orleans.Runtime;

namespace Concertina.Grains.Sessions;

/// <summary>One session of one tenant: its identity, its single writer, and the handle that owns its units.</summary>
[CollectionAgeLimit(Minutes = 15)]
[SequencePlacement]
internal sealed class SequenceGrain(
    [PersistentState(SequenceState.StateName)] IPersistentState<SequenceState> state,
    LocalWorker worker,
    SessionTokenStore store,
    TimeProvider time,
    ILogger<SequenceGrain> logger) : Grain, ISequenceGrain
{
    private static readonly TimeSpan RunningStay = TimeSpan.FromMinutes(5);
    private readonly PromptStaging _staging = new(time);
    private LiveSession _session = null!;
    private IGrainTimer? _forgetting;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        SessionRecord record = new(this.GetPrimaryKeyString(), state, store, logger);
        _session = new LiveSession(this.GetPrimaryKeyString(), worker, record, time, logger);
        await _session.Restore();
    }

    // The units go back; full columns stay as prefix cache.
    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) =>
        await _session.Shut();

    // Step 4: ephemeral or durable, one request at a time.
    public async IAsyncEnumerable<TokenChunk> Generate(
        GenerateRequest request, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        GenerationRun run = new(request.RequestId);
        using CancellationTokenRegistration gone = cancellation.Register(() => run.Cancel(null));
        DelayDeactivation(RunningStay);
        try
        {
            if (await _session.Begin(run, request, _staging.Take(request.RequestId), cancellation) is { } refusal)
            {
                yield return new TokenChunk { Refusal = refusal };
                yield break;
            }
            TokenChunk first = await run.Admission(_session.DeterminismClass, cancellation);
            yield return first;
            if (first.Refusal is not null)
            {
                yield break;
            }

            // Step 7.
            await foreach (TokenChunk chunk in run.Read(cancellation))
            {
                DelayDeactivation(RunningStay);
                yield return chunk;
            }
            yield return new TokenChunk { Index = run.Index, Finish = await Complete(run) };
        }
        finally
        {
            await Complete(run);
            if (_session.IsEphemeral)
            {
                DeactivateOnIdle();
            }
        }
    }

    public Task Stage(PromptPart part, CancellationToken cancellation = default)
    {
        _forgetting ??= this.RegisterGrainTimer(Forget, new GrainTimerCreationOptions(PromptStaging.KeptFor, PromptStaging.KeptFor));
        _staging.Add(part);
        return Task.CompletedTask;
    }

    public Task Cancel(string requestId, int keepTokens, CancellationToken cancellation = default)
    {
        _staging.Drop(requestId);
        _session.Cancel(requestId, keepTokens);
        LeaveIfUnused();
        return Task.CompletedTask;
    }

    public Task<SessionStatus> Status(CancellationToken cancellation = default) => Task.FromResult(_session.Status());

    public async Task Delete(CancellationToken cancellation = default)
    {
        _staging.Clear();
        await _session.Delete();
        LeaveIfUnused();
    }

    public async Task<bool> Expire(CancellationToken cancellation = default)
    {
        if (!_staging.IsEmpty || !_session.IsExpired)
        {
            return false;
        }
        await _session.Delete();
        DeactivateOnIdle();
        return true;
    }

    // A request that was staged may never come.
    private Task Forget(CancellationToken cancellation)
    {
        _staging.RemoveExpired();
        if (_staging.IsEmpty)
        {
            _forgetting?.Dispose();
            _forgetting = null;
            LeaveIfUnused();
        }
        return Task.CompletedTask;
    }

    // Nobody asks for an ephemeral sequence again.
    private void LeaveIfUnused()
    {
        if (_session.IsEphemeral && _staging.IsEmpty && !_session.Status().Busy)
        {
            DeactivateOnIdle();
        }
    }

    // Step 9: the session is durable and free before its caller hears of the end.
    private async Task<FinishFacts?> Complete(GenerationRun run)
    {
        if (!await _session.Complete(run))
        {
            DeactivateOnIdle();
        }
        return run.End is { } end ? EngineMessages.Finish(end) : null;
    }
}
