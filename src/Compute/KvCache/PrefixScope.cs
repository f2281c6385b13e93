namespace Concertina.Compute.KvCache;

/// <summary>Who may share prefix columns: the root of the hash chain. Hits never cross tenants.</summary>
/// <param name="High">Upper half of the salted root.</param>
/// <param name="Low">Lower half of the salted root.</param>
public readonly record struct PrefixScope(ulong High, ulong Low)
{
    /// <summary>Scope of a tenant, narrowed by a salt if the request names one.</summary>
    public static PrefixScope For(string tenantId, string? cacheSalt) => throw new NotImplementedException();
}
