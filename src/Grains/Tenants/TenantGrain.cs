using Concertina.Contracts.Tenants;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans;
using Orleans.Runtime;
using Orleans.Storage;

namespace Concertina.Grains.Tenants;

/// <summary>Keys, limits and usage of one tenant. Key: tenant id. Limits live in memory; usage is durable at most a second late.</summary>
[CollectionAgeLimit(Hours = 1)]
internal sealed class TenantGrain(
    [PersistentState("tenant")] IPersistentState<TenantState> state,
    IOptions<TenantsOptions> options,
    TimeProvider time,
    ILogger<TenantGrain> logger) : Grain, ITenantGrain
{
    private static readonly TimeSpan WriteEvery = TimeSpan.FromMilliseconds(500);
    private TenantLimits _limits = null!;
    private bool _changed;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        string id = this.GetPrimaryKeyString();
        bool keyless = options.Value.Keyless && id == TenantsOptions.KeylessTenant;
        _limits = new TenantLimits(options.Value.ById.GetValueOrDefault(id), keyless, state.State, time);
        this.RegisterGrainTimer(WriteIfChanged, new GrainTimerCreationOptions { DueTime = WriteEvery, Period = WriteEvery });
        return Task.CompletedTask;
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) =>
        WriteIfChanged(cancellationToken);

    // Step 2: one call per request.
    public Task<ReserveAnswer> Reserve(ReserveRequest request, CancellationToken cancellation = default) =>
        Task.FromResult(_limits.Reserve(request));

    // Step 9: once per request id.
    public Task Settle(UsageRecord usage, CancellationToken cancellation = default)
    {
        _changed |= _limits.Settle(usage);
        return Task.CompletedTask;
    }

    public Task<TenantFacts?> Authorize(byte[] keySha256, CancellationToken cancellation = default) =>
        Task.FromResult(_limits.IsKey(keySha256) ? new TenantFacts(this.GetPrimaryKeyString(), _limits.Models) : null);

    public Task<TenantUsage> Usage(CancellationToken cancellation = default) => Task.FromResult(_limits.Report());

    public Task Charge(KvCharge charge, CancellationToken cancellation = default)
    {
        _changed |= _limits.Charge(charge);
        return Task.CompletedTask;
    }

    public Task<TenantSettings> Settings(CancellationToken cancellation = default) => Task.FromResult(_limits.Settings);

    public async Task<TenantChangeAnswer> Change(TenantChange change, CancellationToken cancellation = default)
    {
        if (_limits.Change(change) is { } wrong)
        {
            return new TenantChangeAnswer { Settings = _limits.Settings, Field = wrong.Field, Problem = wrong.Problem };
        }
        _changed = true;
        await Write(cancellation);
        return new TenantChangeAnswer { Settings = _limits.Settings };
    }

    private async Task WriteIfChanged(CancellationToken cancellation)
    {
        if (!_changed)
        {
            return;
        }
        try
        {
            await Write(cancellation);
        }
        catch (Exception problem)
        {
            GrainsLog.UsageNotWritten(logger, this.GetPrimaryKeyString(), problem);
        }
    }

    // What fails is tried again with the next tick.
    private async Task Write(CancellationToken cancellation)
    {
        _changed = false;
        state.State = _limits.Durable();
        try
        {
            await state.WriteStateAsync(cancellation);
        }
        catch (InconsistentStateException)
        {
            // Another activation of this tenant has written: start again from what it knows.
            DeactivateOnIdle();
            throw;
        }
        catch
        {
            _changed = true;
            throw;
        }
    }
}
