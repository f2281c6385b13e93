using System.Text.Json;
using Concertina.Gateway.Http;

namespace Concertina.Gateway.Chat;

/// <summary>Strings of a body. An escape may spell half a character, which no string of ours may hold.</summary>
internal static class JsonTexts
{
    /// <param name="value">A JSON string.</param>
    /// <param name="place">Where it stands.</param>
    public static Outcome<string> Read(JsonElement value, string place)
    {
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            return ApiErrors.Invalid(place, $"'{place}' holds half of a surrogate pair; send whole characters.");
        }
    }

    /// <summary>A string of whole characters; null for anything else.</summary>
    public static string? Whole(JsonElement value) =>
        value.ValueKind == JsonValueKind.String && Read(value, "").Is(out string? text, out _) ? text : null;
}
