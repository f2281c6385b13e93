using Concertina.Contracts.Tenants;
using Orleans;

namespace Concertina.Contracts.Sessions;

/// <summary>One generation as the gateway asks for it. Text does not cross this border; token ids do.</summary>
[GenerateSerializer]
[Immutable]
[Alias("concertina.generate-request")]
public sealed record GenerateRequest
{
    /// <summary>Most <see cref="StopTokens"/> of one request; with it, the longest request stays below 64 KiB.</summary>
    public const int MaxStopTokens = 192;

    /// <summary>Most characters of <see cref="CacheSalt"/>: a SHA-256 in hexadecimal.</summary>
    public const int MaxCacheSaltChars = 64;

    /// <summary>Most characters of <see cref="FloorRung"/>.</summary>
    public const int MaxRungChars = 32;

    /// <summary>Unique id of the request, chosen by the gateway; usage is recorded once per id.</summary>
    [Id(0)] public required string RequestId { get; init; }

    /// <summary>Tenant that pays; equals the first part of the grain key.</summary>
    [Id(1)] public required string TenantId { get; init; }

    /// <summary>Served model name.</summary>
    [Id(2)] public required string Model { get; init; }

    /// <summary>Packed prompt tokens (<see cref="TokenPacking"/>), at most 44 KiB; empty when the prompt was staged.</summary>
    [Id(3)] public required byte[] Prompt { get; init; }

    /// <summary>Prompt length in tokens, staged parts included.</summary>
    [Id(4)] public required int PromptTokens { get; init; }

    /// <summary>Upper bound of generated tokens; null: until the context ends or a stop id comes.</summary>
    [Id(5)] public int? MaxNewTokens { get; init; }

    /// <summary>How the next token is drawn.</summary>
    [Id(6)] public SamplingSettings Sampling { get; init; } = new();

    /// <summary>Token ids that end the answer, at most <see cref="MaxStopTokens"/>; the end-of-sequence ids of the model are included by the gateway unless ignored.</summary>
    [Id(7)] public int[] StopTokens { get; init; } = [];

    /// <summary>Narrows prefix sharing to requests with the same salt within the tenant, at most <see cref="MaxCacheSaltChars"/> characters; null: the whole tenant shares.</summary>
    [Id(8)] public string? CacheSalt { get; init; }

    /// <summary>What may happen to the session's cache under pressure.</summary>
    [Id(9)] public KvPolicy Policy { get; init; } = KvPolicy.Elastic;

    /// <summary>Scheduling weight of the tenant, above 0; 1 is normal.</summary>
    [Id(10)] public double Weight { get; init; } = 1;

    /// <summary>Epoch of the routing answer this request follows; the worker refuses one of an earlier life than its own.</summary>
    [Id(11)] public long RouteEpoch { get; init; }

    /// <summary>Deepest rung the cache may be squeezed to, by name, at most <see cref="MaxRungChars"/> characters; null: no such bound.</summary>
    [Id(12)] public string? FloorRung { get; init; }

    /// <summary>Most predicted distortion in nats per token, finite and at least 0; null: no such bound.</summary>
    [Id(13)] public double? FloorNats { get; init; }

    /// <summary>Most times smaller than on the lossless rung the cache may become, finite and at least 1; null: no such bound.</summary>
    [Id(14)] public double? MaxRatio { get; init; }

    /// <summary>Deepest rung the tenant allows, by name, at most <see cref="MaxRungChars"/> characters; the request may only be tighter. Null: no such bound.</summary>
    [Id(15)] public string? TenantFloorRung { get; init; }

    /// <summary>The same as predicted distortion in nats per token; null: no such bound.</summary>
    [Id(16)] public double? TenantFloorNats { get; init; }

    /// <summary>Priority of the tenant.</summary>
    [Id(17)] public TenantPriority Priority { get; init; }
}
