using Microsoft.Extensions.Options;

namespace Concertina.Gateway.Tenants;

/// <summary>Stops the start on malformed or shared keys, together with the gateway's own options.</summary>
internal sealed class TenantKeyValidator(TenantKeys keys) : IValidateOptions<GatewayOptions>
{
    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, GatewayOptions options) =>
        keys.Problems() is { Count: > 0 } problems ? ValidateOptionsResult.Fail(problems) : ValidateOptionsResult.Success;
}
