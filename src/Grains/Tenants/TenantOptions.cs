using System.ComponentModel.DataAnnotations;
using Concertina.Contracts.Tenants;

namespace Concertina.Grains.Tenants;

/// <summary>Keys, permissions and limits of one tenant: <c>Tenants:&lt;id&gt;</c>.</summary>
public sealed record TenantOptions
{
    /// <summary>SHA-256 of each key, hexadecimal; <c>concertina key new</c> prints a key and its line. At least one.</summary>
    public string[] KeySha256 { get; init; } = [];

    /// <summary>Models the tenant may use. Default: all.</summary>
    public string[]? Models { get; init; }

    /// <summary>Requests a minute. Default: no limit.</summary>
    [Range(1, 1_000_000_000, ErrorMessage = "RequestsPerMinute must be between 1 and 1000000000.")]
    public long? RequestsPerMinute { get; init; }

    /// <summary>Tokens a minute, prompts and answers together. Default: no limit.</summary>
    [Range(1, 1_000_000_000, ErrorMessage = "TokensPerMinute must be between 1 and 1000000000.")]
    public long? TokensPerMinute { get; init; }

    /// <summary>Tokens the tenant may ever use. Default: no limit.</summary>
    [Range(1, long.MaxValue, ErrorMessage = "TokenBudget must be at least 1.")]
    public long? TokenBudget { get; init; }

    /// <summary>Share of the engine's steps against other tenants, above 0. Default 1.</summary>
    [Range(0.001, 1000, ErrorMessage = "Weight must be between 0.001 and 1000.")]
    public double Weight { get; init; } = 1;

    /// <summary>How urgent its requests are beside those of others. Default Normal.</summary>
    [EnumDataType(typeof(TenantPriority), ErrorMessage = "Priority must be Low, Normal or High.")]
    public TenantPriority Priority { get; init; } = TenantPriority.Normal;

    /// <summary>Deepest rung its sessions may be squeezed to, by name, or most nats per token; requests may only be tighter. Default: Engine:DefaultFloorNats.</summary>
    [RegularExpression(FloorText.Pattern, ErrorMessage = "DefaultFloor must be the name of a rung or a number of nats per token, at least 0.")]
    public string? DefaultFloor { get; init; }
}
