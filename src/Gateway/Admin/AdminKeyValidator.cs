using Concertina.Gateway.Tenants;
using Microsoft.Extensions.Options;

namespace Concertina.Gateway.Admin;

/// <summary>Stops the start when a tenant's key would open the operator's paths.</summary>
internal sealed class AdminKeyValidator(TenantKeys tenants) : IValidateOptions<AdminOptions>
{
    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, AdminOptions options)
    {
        string? owner = tenants.KeySha256
            .FirstOrDefault(tenant => tenant.Value.Contains(options.KeySha256, StringComparer.OrdinalIgnoreCase)).Key;
        return owner is null
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail($"Admin:KeySha256 is also a key of tenant '{owner}'; the operator needs a key of its own.");
    }
}
