using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Concertina.Contracts.Sessions;
using Concertina.Gateway.Http;
using Concertina.Gateway.Kv;
using Concertina.Gateway.Tenants;
using Concertina.Gateway.Wire;
using Concertina.Tokenization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Concertina.Gateway.Chat;

/// <summary>Turns what a client sent into a command in which every value is known to be good, or says which one is not.</summary>
internal sealed class ChatValidator(IOptions<GatewayOptions> options, SeedSource seeds)
{
    private const int MaxChoices = 128;
    private const int MaxStopTokenIds = 128;
    private readonly int _maxStopStrings = options.Value.MaxStopStrings;

    public Outcome<ChatCommand> Check(ChatRequest request, IHeaderDictionary headers)
    {
        if (!MessageReader.Read(request.Messages).Is(out IReadOnlyList<ChatMessage>? messages, out ApiError? error)
            || !ReadStop(request.Stop).Is(out IReadOnlyList<string>? stop, out error))
        {
            return error;
        }
        if (SamplingRanges.Check(request) is { } outside)
        {
            return outside;
        }
        if (CheckChoices(request) is { } choices)
        {
            return choices;
        }
        if (LaterFeatures.Check(request) is { } later)
        {
            return later;
        }
        if (request.StreamOptions is not null && request.Stream != true)
        {
            return ApiErrors.Invalid("stream_options", "'stream_options' is only allowed when 'stream' is true.");
        }
        string? session = request.SessionId ?? Header(headers, "x-session-id");
        if (session is not null && !SessionName.IsOne(session))
        {
            return ApiErrors.Invalid("session_id", "'session_id' must be 1 to 128 letters, digits or '._:-' and start with a letter or digit.");
        }
        return request.CacheSalt is { Length: 0 or > 1_024 }
            ? ApiErrors.Invalid("cache_salt", "'cache_salt' must have 1 to 1024 characters.")
            : Build(request, headers, messages, stop, session);
    }

    private Outcome<ChatCommand> Build(
        ChatRequest request, IHeaderDictionary headers, IReadOnlyList<ChatMessage> messages, IReadOnlyList<string> stop, string? session)
    {
        if (!KvReader.Read(request.Kv, headers).Is(out KvWishes? kv, out ApiError? error))
        {
            return error;
        }
        int[] stopTokens = [.. (request.StopTokenIds ?? []).Distinct()];
        if (stopTokens.Length > MaxStopTokenIds)
        {
            return ApiErrors.Invalid("stop_token_ids", $"'stop_token_ids' may hold at most {MaxStopTokenIds} ids.");
        }
        return new ChatCommand
        {
            Messages = messages,
            AddGenerationPrompt = request.AddGenerationPrompt ?? true,
            Sampling = new SamplingSettings
            {
                Temperature = (float)(request.Temperature ?? 1),
                TopP = (float)(request.TopP ?? 1),
                TopK = (int)Math.Max(0, request.TopK ?? 0),
                MinP = (float)(request.MinP ?? 0),
                Seed = request.Seed is { } seed and not -1 ? seed : seeds.Next(),
            },
            MaxTokens = request.MaxCompletionTokens ?? request.MaxTokens,
            StrictMaxTokens = string.Equals(Header(headers, "x-strict-max-tokens"), "true", StringComparison.OrdinalIgnoreCase),
            Stop = stop,
            StopTokens = stopTokens,
            IgnoreEos = request.IgnoreEos ?? false,
            IncludeStop = request.IncludeStopStrInOutput ?? false,
            Session = session,
            CacheSalt = request.CacheSalt is { } salt ? Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(salt))) : null,
            Kv = kv,
            Stream = request.Stream ?? false,
            IncludeUsage = request.StreamOptions?.IncludeUsage ?? false,
        };
    }

    private static ApiError? CheckChoices(ChatRequest request)
    {
        if (request.N is < 1 or > MaxChoices)
        {
            return ApiErrors.Invalid("n", $"'n' must be from 1 to {MaxChoices}.");
        }
        if (request.TopLogprobs is < 0 or > 20)
        {
            return ApiErrors.Invalid("top_logprobs", "'top_logprobs' must be from 0 to 20.");
        }
        if (request.TopLogprobs is not null && request.Logprobs != true)
        {
            return ApiErrors.Invalid("top_logprobs", "'top_logprobs' is only allowed when 'logprobs' is true.");
        }
        if (request.N > 1)
        {
            return ApiErrors.NotSupported("n", "More than one choice per request is not supported yet; send 'n': 1.");
        }
        return request.Logprobs == true
            ? ApiErrors.NotSupported("logprobs", "'logprobs' is not supported yet; leave it out.")
            : null;
    }

    private Outcome<IReadOnlyList<string>> ReadStop(JsonElement stop)
    {
        if (stop.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null)
        {
            return new Outcome<IReadOnlyList<string>>([], null);
        }
        JsonElement[] items = stop.ValueKind == JsonValueKind.Array ? [.. stop.EnumerateArray()] : [stop];
        if (items.Length > _maxStopStrings)
        {
            return ApiErrors.Invalid("stop", string.Create(CultureInfo.InvariantCulture, $"'stop' may hold at most {_maxStopStrings} strings."));
        }
        List<string> strings = [];
        foreach (JsonElement item in items)
        {
            if (item.ValueKind != JsonValueKind.String || item.ValueEquals(""))
            {
                return ApiErrors.Invalid("stop", "'stop' must be a string or an array of strings, none of them empty.");
            }
            if (!JsonTexts.Read(item, "stop").Is(out string? text, out ApiError? error))
            {
                return error;
            }
            strings.Add(text);
        }
        return strings;
    }

    private static string? Header(IHeaderDictionary headers, string name) => headers[name] is [{ Length: > 0 } value, ..] ? value : null;
}
