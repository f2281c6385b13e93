using Concertina.Compute.KvCache.Memory;

namespace Concertina.Compute.Engine.Metering;

/// <summary>
/// Bytes times seconds of each tenant. Bytes change only within steps; what a step changes counts from its start. A step costs
/// one multiplication per tenant that was ever here. The engine's thread writes, any thread reads.
/// </summary>
internal sealed class KvMeter(KvAccounts accounts, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _places = [];
    private readonly List<TenantMeter> _tenants = [];
    private bool _stopped;
    private long _chargedAt = time.GetTimestamp();

    /// <summary>Engine thread: the meter of a tenant.</summary>
    public TenantMeter Of(string tenantId)
    {
        if (_places.TryGetValue(tenantId, out int place))
        {
            return _tenants[place];
        }
        TenantMeter meter = new(tenantId, accounts.Open());
        lock (_gate)
        {
            _places.Add(tenantId, _tenants.Count);
            _tenants.Add(meter);
        }
        return meter;
    }

    /// <summary>Engine thread, at the start of a step: charges what was held since the last one.</summary>
    public void Charge(long now)
    {
        lock (_gate)
        {
            double seconds = time.GetElapsedTime(_chargedAt, now).TotalSeconds;
            foreach (TenantMeter tenant in _tenants)
            {
                tenant.ByteSeconds += accounts.Bytes(tenant.Account) * seconds;
            }
            _chargedAt = now;
        }
    }

    /// <summary>The engine has failed: nobody is served from what is held, and nobody pays for it any more.</summary>
    public void Stop()
    {
        lock (_gate)
        {
            _stopped = true;
        }
    }

    /// <summary>All tenants up to now; any thread. A tenant that takes or frees memory in this very step may be off by what the step changes.</summary>
    public TenantKv[] Read()
    {
        lock (_gate)
        {
            double seconds = _stopped ? 0 : time.GetElapsedTime(_chargedAt).TotalSeconds;
            TenantKv[] all = new TenantKv[_tenants.Count];
            for (int i = 0; i < all.Length; i++)
            {
                long bytes = accounts.Bytes(_tenants[i].Account);
                all[i] = new TenantKv(_tenants[i].TenantId, bytes, _tenants[i].ByteSeconds + (bytes * seconds));
            }
            return all;
        }
    }
}
