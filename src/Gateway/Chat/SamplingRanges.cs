using Concertina.Gateway.Http;
using Concertina.Gateway.Wire;

namespace Concertina.Gateway.Chat;

/// <summary>The ranges of api-contract 7.3; each message names the field and what it may be.</summary>
internal static class SamplingRanges
{
    public static ApiError? Check(ChatRequest r) =>
        Range("temperature", r.Temperature, v => v is >= 0 and <= 2, "from 0 to 2")
        ?? Range("top_p", r.TopP, v => v is > 0 and <= 1, "above 0 and at most 1")
        ?? Range("top_k", r.TopK, v => v is >= -1 and <= int.MaxValue, "-1 or 0 (off) or positive")
        ?? Range("min_p", r.MinP, v => v is >= 0 and <= 1, "from 0 to 1")
        ?? Range("max_completion_tokens", r.MaxCompletionTokens, v => v >= 1, "at least 1")
        ?? Range("max_tokens", r.MaxTokens, v => v >= 1, "at least 1")
        ?? Range("presence_penalty", r.PresencePenalty, v => v is >= -2 and <= 2, "from -2 to 2")
        ?? Range("frequency_penalty", r.FrequencyPenalty, v => v is >= -2 and <= 2, "from -2 to 2")
        ?? Range("repetition_penalty", r.RepetitionPenalty, v => v > 0 && double.IsFinite(v), "above 0")
        ?? Later("presence_penalty", r.PresencePenalty, 0)
        ?? Later("frequency_penalty", r.FrequencyPenalty, 0)
        ?? Later("repetition_penalty", r.RepetitionPenalty, 1);

    private static ApiError? Range(string field, double? value, Func<double, bool> within, string allowed) =>
        value is { } given && !within(given) ? ApiErrors.Invalid(field, $"'{field}' must be {allowed}.") : null;

    private static ApiError? Later(string field, double? value, double neutral) =>
        value is { } given && given != neutral
            ? ApiErrors.NotSupported(field, $"'{field}' is not supported yet; leave it out.")
            : null;
}
