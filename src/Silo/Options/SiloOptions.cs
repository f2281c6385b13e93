using System.ComponentModel.DataAnnotations;

namespace Concertina.Silo.Options;

/// <summary>This silo.</summary>
public sealed record SiloOptions
{
    /// <summary>Configuration section these options bind to.</summary>
    public const string Section = "Silo";

    /// <summary>Name of the silo; the first part of its worker's key. Default <c>local</c>.</summary>
    [RegularExpression("^[A-Za-z0-9._-]{1,64}$", ErrorMessage = "Silo:Name must have 1 to 64 letters, digits, '.', '_' or '-'.")]
    public string Name { get; init; } = "local";

    /// <summary>Seconds running streams get to finish after a shutdown began; then they end with an error. Default 26, a second more than the gateway grants.</summary>
    [Range(0.0, 86_400.0, ErrorMessage = "Silo:DrainSeconds must be between 0 and 86400.")]
    public double DrainSeconds { get; init; } = 26;

    /// <summary>True: the KV budget follows the container's memory limit when that changes at run time. Default <c>true</c>.</summary>
    public bool WatchMemoryLimit { get; init; } = true;
}
