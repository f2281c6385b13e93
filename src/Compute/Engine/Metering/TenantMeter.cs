namespace Concertina.Compute.Engine.Metering;

/// <summary>One tenant's account in the cache and what it has held. Written by <see cref="KvMeter"/> alone.</summary>
internal sealed class TenantMeter(string tenantId, ushort account)
{
    public string TenantId { get; } = tenantId;

    /// <summary>Its account in the cache.</summary>
    public ushort Account { get; } = account;

    /// <summary>Bytes times seconds, as of the last charge; engine thread, others under the meter's lock.</summary>
    public double ByteSeconds { get; set; }
}
