using Concertina.Contracts.Sessions;

namespace Concertina.Gateway.Kv;

/// <summary>What a request asks of its KV cache; every value has been checked. Of several bounds the engine keeps the tightest.</summary>
internal sealed record KvWishes
{
    /// <summary>The body's member of a policy.</summary>
    public const string PolicyMember = "kv.policy";

    /// <summary>The body's member of a floor, and what a worker's refusal calls it.</summary>
    public const string FloorMember = "kv.floor";

    /// <summary>The body's member of a largest ratio, and what a worker's refusal calls it.</summary>
    public const string MaxRatioMember = "kv.max_ratio";

    /// <summary>What may happen to the cache under pressure.</summary>
    public KvPolicy Policy { get; init; } = KvPolicy.Elastic;

    /// <summary>How far it may be squeezed; null: not bounded by the request.</summary>
    public KvFloor? Floor { get; init; }

    /// <summary>Most times smaller than lossless it may become, at least 1; null: not bounded.</summary>
    public double? MaxRatio { get; init; }

    /// <summary>Where the client wrote the floor.</summary>
    public string FloorPlace { get; init; } = FloorMember;

    /// <summary>Where the client wrote the largest ratio.</summary>
    public string MaxRatioPlace { get; init; } = MaxRatioMember;

    /// <summary>The client's own place of what a worker refused; other names stay.</summary>
    public string? PlaceOf(string? member) => member switch
    {
        FloorMember => FloorPlace,
        MaxRatioMember => MaxRatioPlace,
        _ => member,
    };
}
