using Concertina.Contracts.Sessions;

namespace Concertina.Gateway.Kv;

/// <summary>What one place of a request, headers or body, says of the KV cache; null: nothing. Every value is good by itself.</summary>
/// <param name="Policy">What may happen to the cache under pressure.</param>
/// <param name="Floor">How far it may be squeezed.</param>
/// <param name="MaxRatio">Most times smaller than lossless, at least 1.</param>
internal sealed record KvGiven(KvPolicy? Policy, KvFloor? Floor, double? MaxRatio)
{
    /// <summary>The policies by the names clients use, for messages.</summary>
    public const string PolicyAllowed = "'lossless', 'elastic' or 'economy'";

    /// <summary>What a largest ratio may be, for messages.</summary>
    public const string RatioAllowed = "a finite number of at least 1";

    /// <summary>The policy of a name, or null.</summary>
    public static KvPolicy? PolicyOf(string name) => name switch
    {
        "elastic" => KvPolicy.Elastic,
        "lossless" => KvPolicy.Lossless,
        "economy" => KvPolicy.Economy,
        _ => null,
    };

    /// <summary>A largest ratio, or null when it cannot be one.</summary>
    public static double? RatioOf(double ratio) => double.IsFinite(ratio) && ratio >= 1 ? ratio : null;
}
