using System.Globalization;
using System.Text.Json;
using Concertina.Contracts.Tenants;
using Concertina.Gateway.Chat;
using Concertina.Gateway.Http;
using Concertina.Gateway.Kv;

namespace Concertina.Gateway.Admin;

/// <summary>
/// Reads what to change of a tenant. It takes no unknown member: a misspelt limit must not look as if it held. Ranges are the
/// tenant's own.
/// </summary>
internal static class TenantChangeReader
{
    private const string None = "none";
    private const string Back = "or null to go back to the configuration";
    private const int LongestNamedChars = 64;

    private static readonly string Members = string.Join(", ",
    [
        TenantFields.Weight, TenantFields.Priority, TenantFields.DefaultFloor,
        TenantFields.RequestsPerMinute, TenantFields.TokensPerMinute, TenantFields.TokenBudget,
    ]);

    public static Outcome<TenantChange> Read(Dictionary<string, JsonElement>? members)
    {
        if (members is not { Count: > 0 })
        {
            return ApiErrors.Invalid("body", $"The body changes nothing; it takes {Members}, each of them optional.");
        }
        TenantOverrides set = new();
        List<string> reset = [];
        foreach ((string name, JsonElement value) in members)
        {
            if (value.ValueKind == JsonValueKind.Null && IsKnown(name))
            {
                reset.Add(name);
            }
            else if (Add(set, name, value).Is(out TenantOverrides? more, out ApiError? error))
            {
                set = more;
            }
            else
            {
                return error;
            }
        }
        return new TenantChange(set, [.. reset]);
    }

    private static bool IsKnown(string name) => Members.Split(", ").Contains(name, StringComparer.Ordinal);

    private static Outcome<TenantOverrides> Add(TenantOverrides set, string name, JsonElement value) => name switch
    {
        TenantFields.Weight => value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double weight)
            ? set with { Weight = weight }
            : Refused(name, value, "a number from 0.001 to 1000"),
        TenantFields.Priority => Priority(value) is { } priority
            ? set with { Priority = priority }
            : Refused(name, value, "'low', 'normal' or 'high'"),
        TenantFields.DefaultFloor => Floor(value) is { } floor
            ? set with { DefaultFloor = floor }
            : Refused(name, value, $"{KvFloor.Allowed}, or '{None}' for the engine's default"),
        TenantFields.RequestsPerMinute => Limit(value) is { } limit ? set with { RequestsPerMinute = limit } : RefusedLimit(name, value),
        TenantFields.TokensPerMinute => Limit(value) is { } limit ? set with { TokensPerMinute = limit } : RefusedLimit(name, value),
        TenantFields.TokenBudget => Limit(value) is { } limit ? set with { TokenBudget = limit } : RefusedLimit(name, value),
        _ => ApiErrors.Invalid(name.Length <= LongestNamedChars ? name : "body", $"There is no such member of a tenant; it takes {Members}."),
    };

    private static TenantPriority? Priority(JsonElement value) => JsonTexts.Whole(value) switch
    {
        "low" => TenantPriority.Low,
        "normal" => TenantPriority.Normal,
        "high" => TenantPriority.High,
        _ => null,
    };

    private static string? Floor(JsonElement value)
    {
        if (JsonTexts.Whole(value) is { } text)
        {
            return text == None ? TenantOverrides.NoFloor : KvFloor.OfRung(text)?.Rung;
        }
        return value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double nats)
            ? KvFloor.OfNats(nats)?.Nats?.ToString(CultureInfo.InvariantCulture)
            : null;
    }

    // The tenant's word for no limit is 0, which no client may write.
    private static long? Limit(JsonElement value) =>
        JsonTexts.Whole(value) == None ? TenantOverrides.NoLimit
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long limit) && limit != TenantOverrides.NoLimit ? limit
        : null;

    private static ApiError RefusedLimit(string name, JsonElement value) => Refused(name, value, $"a whole number of at least 1, or '{None}' for no limit");

    private static ApiError Refused(string name, JsonElement value, string allowed)
    {
        string given = value.GetRawText();
        string shown = given.Length <= LongestNamedChars ? $" is {given}; it" : "";
        return ApiErrors.Invalid(name, $"'{name}'{shown} must be {allowed}, {Back}.");
    }
}
