using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using Concertina.Gateway.Http;
using Microsoft.AspNetCore.Http;

namespace Concertina.Gateway.Tenants;

/// <summary>
/// Finds the tenant of a key: an index by hash, so that the key itself is never stored or compared. What it finds is a
/// claim; the tenant's grain verifies it in constant time.
/// </summary>
internal sealed class KeyRing(TenantKeys keys)
{
    private const string Bearer = "Bearer ";
    private static readonly Caller Anyone = new(TenantKeys.KeylessTenant, []);

    private readonly FrozenDictionary<string, string> _tenants = keys.KeySha256
        .SelectMany(tenant => tenant.Value, (tenant, hash) => KeyValuePair.Create(hash.ToLowerInvariant(), tenant.Key))
        .ToFrozenDictionary(StringComparer.Ordinal);

    public Outcome<Caller> Identify(HttpRequest request)
    {
        if (_tenants.Count == 0)
        {
            // Official clients always send some key; a server without keys has nothing to compare it with.
            return Anyone;
        }
        if (KeyOf(request) is not { } key)
        {
            return ApiErrors.InvalidKey(given: false);
        }
        byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes(key));
        return _tenants.TryGetValue(Convert.ToHexStringLower(hash), out string? tenant)
            ? new Caller(tenant, hash)
            : ApiErrors.InvalidKey(given: true);
    }

    /// <summary>The key a request carries; null: none.</summary>
    public static string? KeyOf(HttpRequest request)
    {
        string? authorization = request.Headers.Authorization;
        if (authorization is not null && authorization.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
        {
            string key = authorization[Bearer.Length..].Trim();
            return key.Length > 0 ? key : null;
        }
        string? own = request.Headers["x-api-key"];
        return string.IsNullOrEmpty(own) ? null : own;
    }
}
