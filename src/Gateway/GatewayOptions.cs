using System.ComponentModel.DataAnnotations;

namespace Concertina.Gateway;

/// <summary>Limits and addresses of the HTTP side.</summary>
public sealed record GatewayOptions
{
    /// <summary>Configuration section.</summary>
    public const string Section = "Gateway";

    /// <summary>Names of the models to serve. Default: those the silo of this process serves (<see cref="Models.IModelDirectory"/>).</summary>
    public IReadOnlyList<string> Models { get; init; } = [];

    /// <summary>Other names under which a model answers, for clients with a fixed model name: alias to served name.</summary>
    public IReadOnlyDictionary<string, string> Aliases { get; init; } = new Dictionary<string, string>();

    /// <summary>Model of a request that names none. Default: none, such a request is refused.</summary>
    public string? DefaultModel { get; init; }

    /// <summary>Longest request body in bytes; longer ones are refused with 413. Default 8 MiB, several times the longest context as text.</summary>
    [Range(1_024, 1 << 30, ErrorMessage = "Gateway:MaxBodyBytes must be from 1024 to 1073741824.")]
    public int MaxBodyBytes { get; init; } = 8 << 20;

    /// <summary>Silence in seconds after which a stream gets a comment, so that proxies do not close it. Default 10; common proxies wait 60.</summary>
    [Range(0.1, 3_600, ErrorMessage = "Gateway:KeepAliveSeconds must be from 0.1 to 3600.")]
    public double KeepAliveSeconds { get; init; } = 10;

    /// <summary>Time in milliseconds the router has before the last load snapshot decides. Default 200.</summary>
    [Range(1, 60_000, ErrorMessage = "Gateway:RouteTimeoutMilliseconds must be from 1 to 60000.")]
    public int RouteTimeoutMilliseconds { get; init; } = 200;

    /// <summary>Time in milliseconds between two looks at the workers of each model. Default 1000.</summary>
    [Range(10, 60_000, ErrorMessage = "Gateway:SnapshotMilliseconds must be from 10 to 60000.")]
    public int SnapshotMilliseconds { get; init; } = 1_000;

    /// <summary>Tokens reserved from the tenant's token limit for a request without a token limit of its own. Default 1024, as the engine commits.</summary>
    [Range(1, 1 << 20, ErrorMessage = "Gateway:DefaultNewTokens must be from 1 to 1048576.")]
    public int DefaultNewTokens { get; init; } = 1_024;

    /// <summary>Most stop strings of one request. Default 16.</summary>
    [Range(1, 1_024, ErrorMessage = "Gateway:MaxStopStrings must be from 1 to 1024.")]
    public int MaxStopStrings { get; init; } = 16;

    /// <summary>
    /// Seconds after the start of a shutdown at which running streams are ended with an error event. Default 25, below the
    /// host's own 30, after which connections would be closed without a word.
    /// </summary>
    [Range(0, 86_400, ErrorMessage = "Gateway:DrainSeconds must be from 0 to 86400.")]
    public double DrainSeconds { get; init; } = 25;

    /// <summary>Port that alone serves <c>/metrics</c>, besides the health paths. Default: none, the main port serves them.</summary>
    [Range(1, 65_535, ErrorMessage = "Gateway:ManagementPort must be from 1 to 65535.")]
    public int? ManagementPort { get; init; }

    /// <summary>Seed of the source that gives requests without a seed theirs. Default: random at start.</summary>
    public long? Seed { get; init; }

    /// <summary>Origins that browsers may call from. Default: none, cross-origin calls are off.</summary>
    public IReadOnlyList<string> CorsOrigins { get; init; } = [];
}
