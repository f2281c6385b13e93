using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Concertina.Contracts.Tenants;

namespace Concertina.Gateway.Wire.Admin;

/// <summary>What holds for a tenant, as <c>PUT /admin/tenants/{id}</c> answers: each value with where it comes from.</summary>
internal sealed record TenantView(
    string Id, TenantView.Of<double> Weight, TenantView.Of<string> Priority, TenantView.Of<JsonElement?> DefaultFloor,
    TenantView.Of<long?> RequestsPerMinute, TenantView.Of<long?> TokensPerMinute, TenantView.Of<long?> TokenBudget)
{
    [JsonPropertyOrder(-1)]
    public string Object { get; } = "tenant.settings";

    public static TenantView From(string id, TenantSettings settings) => new(
        id,
        new(settings.Weight, Source(settings, TenantFields.Weight)),
        new(settings.Priority.ToString().ToLowerInvariant(), Source(settings, TenantFields.Priority)),
        new(Floor(settings.DefaultFloor), Source(settings, TenantFields.DefaultFloor)),
        new(settings.RequestsPerMinute, Source(settings, TenantFields.RequestsPerMinute)),
        new(settings.TokensPerMinute, Source(settings, TenantFields.TokensPerMinute)),
        new(settings.TokenBudget, Source(settings, TenantFields.TokenBudget)));

    private static string Source(TenantSettings settings, string field) =>
        settings.SetAtRunTime.Contains(field) ? "admin" : settings.Configured.Contains(field) ? "configuration" : "default";

    // As the request's own floor: a rung is a string, nats per token are a number.
    private static JsonElement? Floor(string? floor) => floor is null ? null
        : double.TryParse(floor, NumberStyles.Float, CultureInfo.InvariantCulture, out double nats) && double.IsFinite(nats)
            ? JsonSerializer.SerializeToElement(nats, GatewayJson.Default.Double)
            : JsonSerializer.SerializeToElement(floor, GatewayJson.Default.String);

    /// <summary>A value; its source is <c>admin</c> (set at run time), <c>configuration</c> or <c>default</c>.</summary>
    internal sealed record Of<T>(T Value, string Source);
}
