using System.ComponentModel.DataAnnotations;

namespace Concertina.Gateway.Admin;

/// <summary>Who may use the operator's paths under <c>/admin</c>.</summary>
public sealed record AdminOptions
{
    /// <summary>Configuration section.</summary>
    public const string Section = "Admin";

    /// <summary>SHA-256 of the operator's key, hexadecimal. Default: none, and there is nothing under <c>/admin</c>.</summary>
    [RegularExpression("^[0-9A-Fa-f]{64}$", ErrorMessage = "Admin:KeySha256 must be 64 hexadecimal digits, the SHA-256 of the operator's key.")]
    public string? KeySha256 { get; init; }
}
