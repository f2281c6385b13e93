using Concertina.Grains.Tenants;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Concertina.Silo.Options;

/// <summary>Stops the start when a tenant is configured wrongly.</summary>
internal sealed class TenantsValidator : IValidateOptions<TenantsOptions>
{
    public ValidateOptionsResult Validate(string? name, TenantsOptions options) => options.Problems() is { Count: > 0 } problems
        ? ValidateOptionsResult.Fail(problems)
        : ValidateOptionsResult.Success;
}

/// <summary>Makes the tenants of the section <c>Tenants</c>: a dictionary by id, which the options binder cannot init.</summary>
internal sealed class TenantsFactory(IConfiguration configuration, IEnumerable<IValidateOptions<TenantsOptions>> validators)
    : OptionsFactory<TenantsOptions>([], [], validators)
{
    protected override TenantsOptions CreateInstance(string name) => new()
    {
        ById = configuration.GetSection(TenantsOptions.Section).GetChildren().ToDictionary(
            tenant => tenant.Key,
            tenant => tenant.Get<TenantOptions>(binder => binder.ErrorOnUnknownConfiguration = true) ?? new TenantOptions(),
            StringComparer.Ordinal),
    };
}
