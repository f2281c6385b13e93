using Microsoft.Extensions.Options;

namespace Concertina.Gateway.Tenants;

/// <summary>Stops the start on malformed or shared keys.</summary>
internal sealed class TenantKeyValidator : IValidateOptions<TenantKeyOptions>
{
    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, TenantKeyOptions options) =>
        options.Problems() is { Count: > 0 } problems ? ValidateOptionsResult.Fail(problems) : ValidateOptionsResult.Success;
}
