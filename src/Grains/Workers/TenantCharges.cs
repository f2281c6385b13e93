using Concertina.Compute.Engine;
using Concertina.Contracts.Tenants;

namespace Concertina.Grains.Workers;

/// <summary>
/// What a worker has to tell tenants of the KV memory they hold: totals since this activation began, to those for whom something is
/// new. One thread at a time.
/// </summary>
internal sealed class TenantCharges(string worker)
{
    // Names of the product's own sequences (warm-up) begin so; no tenant's may.
    private const char OwnMark = '~';
    private readonly Dictionary<string, double> _told = [];
    private Dictionary<string, double> _before = [];
    private long _life;

    /// <summary>An activation begins: what the engine has charged before it was told by the one before.</summary>
    public void Begin(long life, IReadOnlyList<TenantKv> tenants)
    {
        _life = life;
        _told.Clear();
        _before = tenants.ToDictionary(tenant => tenant.TenantId, tenant => tenant.ByteSeconds);
    }

    /// <summary>The charges that are due, by tenant.</summary>
    public IEnumerable<(string TenantId, KvCharge Charge)> Due(IReadOnlyList<TenantKv> tenants)
    {
        foreach (TenantKv tenant in tenants)
        {
            double total = tenant.ByteSeconds - _before.GetValueOrDefault(tenant.TenantId);
            if (tenant.TenantId[0] != OwnMark && total > _told.GetValueOrDefault(tenant.TenantId))
            {
                yield return (tenant.TenantId, new KvCharge(worker, _life, total));
            }
        }
    }

    /// <summary>A tenant has taken a charge up.</summary>
    public void Told(string tenantId, KvCharge charge) => _told[tenantId] = charge.ByteSeconds;
}
