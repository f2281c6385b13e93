namespace Concertina.Compute.Engine;

/// <summary>
/// What a request asks of its KV cache. Every bound narrows what may happen, and of several the tightest counts:
/// <see cref="KvMode.Lossless"/> leaves the bounds nothing to say.
/// </summary>
public sealed record KvSpec
{
    /// <summary>What may happen to the cache.</summary>
    public KvMode Mode { get; init; } = KvMode.Elastic;

    /// <summary>Deepest rung it may be squeezed to, by name; null: no such bound.</summary>
    public string? FloorRung { get; init; }

    /// <summary>Most predicted distortion, in nats per token, at least 0; null: no such bound.</summary>
    public double? FloorNats { get; init; }

    /// <summary>Most times smaller than on the lossless rung it may become, at least 1; null: no such bound.</summary>
    public double? MaxRatio { get; init; }

    /// <summary>
    /// Deepest rung the tenant allows, by name: what a request gets that names no floor, and the deepest it may name; null: no such
    /// bound.
    /// </summary>
    public string? TenantFloorRung { get; init; }

    /// <summary>The same as predicted distortion, in nats per token, at least 0; null: no such bound.</summary>
    public double? TenantFloorNats { get; init; }
}
