using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;

namespace Concertina.Gateway.Tenants;

/// <summary>
/// The part of the <c>Tenants</c> section the gateway needs: which key hash belongs to which tenant
/// (<c>Tenants:&lt;id&gt;:KeySha256</c>). Limits and permissions are the tenant grain's.
/// </summary>
internal sealed partial record TenantKeys
{
    private const string Section = "Tenants";

    /// <summary>The tenant of a server without keys.</summary>
    public const string KeylessTenant = "default";

    /// <summary>SHA-256 hashes of keys by tenant id, hexadecimal. Empty: every caller is the tenant <c>default</c>.</summary>
    public required IReadOnlyDictionary<string, string[]> KeySha256 { get; init; }

    /// <summary>True when some tenant has a key.</summary>
    public bool HasKeys => KeySha256.Values.Any(keys => keys.Length > 0);

    /// <summary>True for a configured tenant, and for the one tenant of a server without keys.</summary>
    public bool Knows(string tenantId) => HasKeys ? KeySha256.ContainsKey(tenantId) : tenantId == KeylessTenant;

    /// <summary>Reads the section.</summary>
    public static TenantKeys Read(IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        return new TenantKeys
        {
            KeySha256 = configuration.GetSection(Section).GetChildren().ToDictionary(
                tenant => tenant.Key, tenant => tenant.GetSection("KeySha256").Get<string[]>() ?? [], StringComparer.Ordinal),
        };
    }

    /// <summary>What is wrong with it, each with the key to correct; empty when all is well.</summary>
    public IReadOnlyList<string> Problems()
    {
        List<string> problems = [];
        Dictionary<string, string> owners = new(StringComparer.OrdinalIgnoreCase);
        foreach ((string tenant, string[] hashes) in KeySha256)
        {
            if (!TenantId().IsMatch(tenant))
            {
                problems.Add($"Tenants:{tenant}: a tenant id must be 1 to 64 letters, digits or '._-' and start with a letter or digit.");
            }
            foreach (string hash in hashes)
            {
                if (!Sha256Hex().IsMatch(hash))
                {
                    problems.Add($"Tenants:{tenant}:KeySha256 holds a value of {hash.Length} characters; write the SHA-256 of the key as 64 hexadecimal digits.");
                }
                else if (!owners.TryAdd(hash, tenant))
                {
                    problems.Add($"Tenants:{tenant}:KeySha256 holds a key that tenant '{owners[hash]}' has too; a key belongs to one tenant.");
                }
            }
        }
        return problems;
    }

    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\z", RegexOptions.CultureInvariant)]
    private static partial Regex TenantId();

    [GeneratedRegex(@"^[0-9A-Fa-f]{64}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Sha256Hex();
}
