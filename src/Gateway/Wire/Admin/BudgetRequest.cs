using System.Text.Json;

namespace Concertina.Gateway.Wire.Admin;

/// <summary>The body of <c>PUT /admin/kv/budget</c>.</summary>
internal sealed record BudgetRequest
{
    /// <summary>A number of bytes, or a size such as <c>512MiB</c>.</summary>
    public JsonElement Bytes { get; init; }

    /// <summary>Worker's key; null: every worker.</summary>
    public string? Worker { get; init; }
}
