using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Concertina.Gateway.Http;
using Concertina.Tokenization;

namespace Concertina.Gateway.Chat;

/// <summary>Reads and checks <c>messages</c> (api-contract 7.2); a mistake is named by its place.</summary>
internal static partial class MessageReader
{
    private const string Assistant = "assistant";

    public static Outcome<IReadOnlyList<ChatMessage>> Read(JsonElement messages)
    {
        if (messages.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null)
        {
            return ApiErrors.Missing("messages");
        }
        if (messages.ValueKind != JsonValueKind.Array || messages.GetArrayLength() == 0)
        {
            return ApiErrors.Invalid("messages", "'messages' must be an array of at least one message.");
        }
        List<ChatMessage> read = new(messages.GetArrayLength());
        foreach (JsonElement message in messages.EnumerateArray())
        {
            if (!ReadOne(message, $"messages[{read.Count}]").Is(out ChatMessage? one, out ApiError? error))
            {
                return error;
            }
            read.Add(one);
        }
        return read is [.., { Role: Assistant }, { Role: Assistant }]
            ? ApiErrors.Invalid("messages", "The conversation ends with two assistant messages; send at most one.")
            : new Outcome<IReadOnlyList<ChatMessage>>(read, null);
    }

    private static Outcome<ChatMessage> ReadOne(JsonElement message, string place)
    {
        if (message.ValueKind != JsonValueKind.Object)
        {
            return ApiErrors.Invalid(place, $"'{place}' must be an object with 'role' and 'content'.");
        }
        if (!message.TryGetProperty("role", out JsonElement role) || role.ValueKind != JsonValueKind.String)
        {
            return ApiErrors.Invalid($"{place}.role", $"'{place}.role' must be a string.");
        }
        if (!JsonTexts.Read(role, $"{place}.role").Is(out string? name, out ApiError? error))
        {
            return error;
        }
        if (!RoleName().IsMatch(name))
        {
            return ApiErrors.Invalid($"{place}.role", $"'{place}.role' must be 1 to 32 letters, digits, '_' or '-'.");
        }
        if (name is "tool" or "function" || Has(message, "tool_calls") || Has(message, "function_call"))
        {
            return ApiErrors.NotSupported($"{place}", $"'{place}' is part of a tool call; tools are not supported yet.");
        }
        if (!Has(message, "content"))
        {
            return ApiErrors.Invalid($"{place}.content", $"'{place}.content' is required.");
        }
        Outcome<string> content = ReadContent(message.GetProperty("content"), $"{place}.content");
        return content.Is(out string? text, out error)
            // The templates we run know 'system'; 'developer' is its newer name.
            ? new ChatMessage(name == "developer" ? "system" : name, text)
            : error;
    }

    private static Outcome<string> ReadContent(JsonElement content, string place)
    {
        if (content.ValueKind == JsonValueKind.String)
        {
            return JsonTexts.Read(content, place);
        }
        if (content.ValueKind != JsonValueKind.Array)
        {
            return ApiErrors.Invalid(place, $"'{place}' must be a string or an array of parts.");
        }
        StringBuilder text = new();
        int index = 0;
        foreach (JsonElement part in content.EnumerateArray())
        {
            if (!ReadPart(part, $"{place}[{index++}]").Is(out string? piece, out ApiError? error))
            {
                return error;
            }
            text.Append(piece);
        }
        return text.ToString();
    }

    private static Outcome<string> ReadPart(JsonElement part, string place)
    {
        if (part.ValueKind != JsonValueKind.Object || !part.TryGetProperty("type", out JsonElement type) || type.ValueKind != JsonValueKind.String)
        {
            return ApiErrors.Invalid($"{place}.type", $"'{place}' must be an object with a 'type'.");
        }
        if (!JsonTexts.Read(type, $"{place}.type").Is(out string? kind, out ApiError? error))
        {
            return error;
        }
        switch (kind)
        {
            case "text":
                return part.TryGetProperty("text", out JsonElement text) && text.ValueKind == JsonValueKind.String
                    ? JsonTexts.Read(text, $"{place}.text")
                    : ApiErrors.Invalid($"{place}.text", $"'{place}.text' must be a string.");
            case "image_url" or "input_audio" or "file" or "video_url" or "refusal":
                return ApiErrors.NotSupported($"{place}.type", $"'{place}' is not text; only text is supported.");
            default:
                return ApiErrors.Invalid($"{place}.type", $"'{place}.type' is not a known part type; use 'text'.");
        }
    }

    private static bool Has(JsonElement message, string member) =>
        message.TryGetProperty(member, out JsonElement value)
        && value.ValueKind != JsonValueKind.Null
        && !(value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == 0 && member != "content");

    [GeneratedRegex(@"^[A-Za-z0-9_-]{1,32}\z", RegexOptions.CultureInvariant)]
    private static partial Regex RoleName();
}
