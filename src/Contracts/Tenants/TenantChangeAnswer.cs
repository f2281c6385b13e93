using Orleans;

namespace Concertina.Contracts.Tenants;

/// <summary>What became of a change.</summary>
[GenerateSerializer]
[Immutable]
[Alias("concertina.tenant-change-answer")]
public sealed record TenantChangeAnswer
{
    /// <summary>What holds now.</summary>
    [Id(0)] public required TenantSettings Settings { get; init; }

    /// <summary>Name of the value that cannot be; null: the change was made. Nothing has changed otherwise.</summary>
    [Id(1)] public string? Field { get; init; }

    /// <summary>What is wrong with it, with the value and what is needed.</summary>
    [Id(2)] public string? Problem { get; init; }
}
