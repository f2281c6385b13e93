namespace Concertina.Contracts.Tenants;

/// <summary>Names of what can be changed of a tenant at run time, as the API writes them.</summary>
public static class TenantFields
{
    /// <summary><see cref="TenantSettings.Weight"/>.</summary>
    public const string Weight = "weight";

    /// <summary><see cref="TenantSettings.Priority"/>.</summary>
    public const string Priority = "priority";

    /// <summary><see cref="TenantSettings.DefaultFloor"/>.</summary>
    public const string DefaultFloor = "default_floor";

    /// <summary><see cref="TenantSettings.RequestsPerMinute"/>.</summary>
    public const string RequestsPerMinute = "requests_per_minute";

    /// <summary><see cref="TenantSettings.TokensPerMinute"/>.</summary>
    public const string TokensPerMinute = "tokens_per_minute";

    /// <summary><see cref="TenantSettings.TokenBudget"/>.</summary>
    public const string TokenBudget = "token_budget";
}
