using System.ComponentModel.DataAnnotations;

namespace Concertina.Grains.Tenants;

/// <summary>All configured tenants. Without any, everyone on loopback is the keyless tenant <see cref="KeylessTenant"/>.</summary>
public sealed record TenantsOptions
{
    /// <summary>Configuration section these options bind to.</summary>
    public const string Section = "Tenants";

    /// <summary>Tenant of everyone while no tenant is configured.</summary>
    public const string KeylessTenant = "default";

    /// <summary>Tenants by id.</summary>
    public IReadOnlyDictionary<string, TenantOptions> ById { get; init; } = new Dictionary<string, TenantOptions>();

    /// <summary>True while no tenant is configured.</summary>
    public bool Keyless => ById.Count == 0;

    /// <summary>What is wrong with the configuration, one sentence each; empty when nothing is.</summary>
    public IReadOnlyList<string> Problems()
    {
        List<string> problems = [];
        foreach ((string id, TenantOptions tenant) in ById)
        {
            List<ValidationResult> results = [];
            Validator.TryValidateObject(tenant, new ValidationContext(tenant), results, validateAllProperties: true);
            problems.AddRange(results.Select(result => $"Tenants:{id}:{result.ErrorMessage}"));
            if (!IsId(id))
            {
                problems.Add($"Tenants:{id}: a tenant id must be 1 to 64 letters, digits or '._-' and start with a letter or digit.");
            }
            if (tenant.KeySha256.Length == 0)
            {
                problems.Add($"Tenants:{id}:KeySha256 is empty; add the line that `concertina key new` prints.");
            }
            problems.AddRange(tenant.KeySha256.Where(hash => !IsSha256(hash)).Select(hash =>
                $"Tenants:{id}:KeySha256 has an entry of {hash.Length} characters; 64 hexadecimal digits are needed."));
        }
        IEnumerable<string> shared = ById.SelectMany(tenant => tenant.Value.KeySha256).GroupBy(hash => hash, StringComparer.OrdinalIgnoreCase)
            .Where(group => group.Count() > 1).Select(group => group.Key);
        problems.AddRange(shared.Select(hash => $"Tenants: the key with hash {hash[..Math.Min(8, hash.Length)]}... is given twice; a key names one tenant."));
        return problems;
    }

    private static bool IsId(string id) =>
        id.Length is > 0 and <= 64 && char.IsAsciiLetterOrDigit(id[0]) && id.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.');

    private static bool IsSha256(string hash) => hash.Length == 64 && hash.All(char.IsAsciiHexDigit);
}
