using System.Text.Json;
using Concertina.Gateway.Http;
using Concertina.Gateway.Wire;

namespace Concertina.Gateway.Chat;

/// <summary>
/// What the API knows and this server does not do yet: asked for, it is refused by name (501), never dropped in silence.
/// A value that asks for nothing (false, null, empty) passes.
/// </summary>
internal static class LaterFeatures
{
    private static readonly HashSet<string> WhenTrue =
        ["echo", "continue_final_message", "return_token_ids", "store_prompt_logprobs", "return_progress", "timings_per_token", "guided_json_object"];

    private static readonly HashSet<string> WhenGiven =
    [
        "functions", "function_call", "logit_bias", "bad_words", "allowed_token_ids", "structured_outputs", "grammar", "json_schema",
        "guided_json", "guided_regex", "guided_choice", "guided_grammar", "chat_template", "chat_template_kwargs", "documents",
        "truncate_prompt_tokens", "prompt_logprobs", "min_tokens", "prediction", "mm_processor_kwargs", "kv_transfer_params",
    ];

    public static ApiError? Check(ChatRequest request)
    {
        if (CheckTools(request) is { } tools)
        {
            return tools;
        }
        foreach ((string field, JsonElement value) in request.Others ?? [])
        {
            if ((WhenTrue.Contains(field) && value.ValueKind == JsonValueKind.True) || (WhenGiven.Contains(field) && AsksForSomething(value)))
            {
                return NotYet(field);
            }
        }
        return CheckValues(request);
    }

    private static ApiError? CheckTools(ChatRequest request)
    {
        bool given = Given(request, "tools", out JsonElement tools);
        if (given && (tools.ValueKind != JsonValueKind.Array || tools.GetArrayLength() == 0))
        {
            return ApiErrors.Invalid("tools", "'tools' must be an array of at least one tool; omit the field instead.");
        }
        if (given)
        {
            return NotYet("tools");
        }
        return Given(request, "tool_choice", out _)
            ? ApiErrors.Invalid("tool_choice", "'tool_choice' is only allowed when 'tools' are given.")
            : null;
    }

    private static ApiError? CheckValues(ChatRequest request)
    {
        if (Given(request, "response_format", out JsonElement format) && CheckFormat(format) is { } error)
        {
            return error;
        }
        if (Given(request, "modalities", out JsonElement modalities)
            && modalities.ValueKind == JsonValueKind.Array
            && modalities.EnumerateArray().Any(m => JsonTexts.Whole(m) != "text"))
        {
            return ApiErrors.NotSupported("modalities", "Only the modality 'text' is supported.");
        }
        if (Given(request, "priority", out JsonElement priority) && !(priority.ValueKind == JsonValueKind.Number && priority.GetDouble() == 0))
        {
            return ApiErrors.Invalid("priority", "'priority' must be 0: no priority policy is on.");
        }
        return Given(request, "skip_special_tokens", out JsonElement skip) && skip.ValueKind == JsonValueKind.False
            ? NotYet("skip_special_tokens")
            : null;
    }

    private static ApiError? CheckFormat(JsonElement format)
    {
        string? type = format.ValueKind == JsonValueKind.Object && format.TryGetProperty("type", out JsonElement given) ? JsonTexts.Whole(given) : null;
        return type switch
        {
            "text" => null,
            "json_object" => NotYet("response_format"),
            "json_schema" when format.TryGetProperty("json_schema", out JsonElement schema) && schema.ValueKind == JsonValueKind.Object =>
                NotYet("response_format"),
            "json_schema" => ApiErrors.Invalid("response_format.json_schema", "'response_format.json_schema' must be an object."),
            _ => ApiErrors.Invalid("response_format.type", "'response_format.type' must be 'text', 'json_object' or 'json_schema'."),
        };
    }

    private static ApiError NotYet(string field) => ApiErrors.NotSupported(field, $"'{field}' is not supported yet; leave it out.");

    private static bool Given(ChatRequest request, string field, out JsonElement value)
    {
        value = default;
        return request.Others is not null && request.Others.TryGetValue(field, out value) && value.ValueKind != JsonValueKind.Null;
    }

    private static bool AsksForSomething(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.False => false,
        JsonValueKind.Array => value.GetArrayLength() > 0,
        JsonValueKind.Object => value.EnumerateObject().Any(),
        JsonValueKind.Number => value.GetDouble() != 0,
        _ => true,
    };
}
