using System.Net.Http.Headers;
using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Concertina.Cli;

/// <summary>A client of a running server's chat API.</summary>
internal sealed class ChatClient : IDisposable
{
    private readonly HttpClient _http;
    private readonly TimeProvider _time;

    public ChatClient(Uri url, string? key, TimeProvider time)
    {
        _time = time;
        _http = new HttpClient { BaseAddress = url, Timeout = Timeout.InfiniteTimeSpan };
        if (key is not null)
        {
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        }
    }

    /// <summary>Name of the first model served.</summary>
    /// <exception cref="CliException">The server cannot be reached or refuses.</exception>
    public async Task<string> FirstModel(CancellationToken cancellation)
    {
        using HttpResponseMessage response = await Send(new HttpRequestMessage(HttpMethod.Get, "/v1/models"), cancellation);
        using JsonDocument models = JsonDocument.Parse(await response.Content.ReadAsStreamAsync(cancellation));
        return models.RootElement.GetProperty("data")[0].GetProperty("id").GetString()!;
    }

    /// <summary>Text of <c>/metrics</c>; null when the server does not serve it here.</summary>
    public async Task<string?> Metrics(CancellationToken cancellation)
    {
        using HttpResponseMessage response = await _http.GetAsync("/metrics", cancellation);
        return response.IsSuccessStatusCode ? await response.Content.ReadAsStringAsync(cancellation) : null;
    }

    /// <summary>Asks and waits for the whole answer.</summary>
    /// <exception cref="CliException">The server cannot be reached or refuses.</exception>
    public async Task<(string Text, int PromptTokens, int CachedTokens)> Ask(JsonObject body, CancellationToken cancellation)
    {
        using HttpRequestMessage request = Post(body);
        using HttpResponseMessage response = await Send(request, cancellation);
        using JsonDocument answer = JsonDocument.Parse(await response.Content.ReadAsStreamAsync(cancellation));
        JsonElement usage = answer.RootElement.GetProperty("usage");
        int cached = Cached(usage);
        string text = answer.RootElement.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString() ?? "";
        return (text, usage.GetProperty("prompt_tokens").GetInt32(), cached);
    }

    /// <summary>Streams one answer and takes the time of each piece of text. Failures are results here, not exceptions.</summary>
    public async Task<StreamTimes> Stream(JsonObject body, CancellationToken cancellation)
    {
        try
        {
            return await StreamToEnd(body, cancellation);
        }
        catch (Exception problem) when (problem is HttpRequestException or IOException)
        {
            return StreamTimes.Failed(problem.Message);
        }
    }

    public void Dispose() => _http.Dispose();

    private async Task<StreamTimes> StreamToEnd(JsonObject body, CancellationToken cancellation)
    {
        body["stream"] = true;
        body["stream_options"] = new JsonObject { ["include_usage"] = true };
        long start = _time.GetTimestamp();
        List<double> atMs = [];
        JsonElement usage = default;
        StringBuilder text = new();
        string? finish = null;
        using HttpRequestMessage request = Post(body);
        using HttpResponseMessage response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
        if (!response.IsSuccessStatusCode)
        {
            int status = (int)response.StatusCode;
            return StreamTimes.Failed($"{status}: {await response.Content.ReadAsStringAsync(cancellation)}") with { RefusedStatus = status };
        }
        await foreach (SseItem<string> item in SseParser.Create(await response.Content.ReadAsStreamAsync(cancellation)).EnumerateAsync(cancellation))
        {
            if (item.Data == "[DONE]")
            {
                break;
            }
            JsonElement chunk = JsonDocument.Parse(item.Data).RootElement;
            if (chunk.TryGetProperty("error", out JsonElement error))
            {
                return StreamTimes.Failed(error.ToString());
            }
            if (Text(chunk) is { Length: > 0 } piece)
            {
                atMs.Add(_time.GetElapsedTime(start).TotalMilliseconds);
                text.Append(piece);
            }
            finish = Finish(chunk) ?? finish;
            usage = chunk.TryGetProperty("usage", out JsonElement given) && given.ValueKind == JsonValueKind.Object ? given : usage;
        }
        return usage.ValueKind == JsonValueKind.Object
            ? new StreamTimes(atMs, usage.GetProperty("prompt_tokens").GetInt32(), usage.GetProperty("completion_tokens").GetInt32(), null)
            {
                Text = text.ToString(),
                Finish = finish,
                Rung = usage.TryGetProperty("kv", out JsonElement kv) ? kv.GetProperty("rung").GetString() : null,
                CachedTokens = Cached(usage),
            }
            : StreamTimes.Failed("the stream ended without usage");
    }

    private static int Cached(JsonElement usage) =>
        usage.TryGetProperty("prompt_tokens_details", out JsonElement details) && details.TryGetProperty("cached_tokens", out JsonElement tokens)
            ? tokens.GetInt32()
            : 0;

    private static string? Text(JsonElement chunk) =>
        chunk.GetProperty("choices") is { } choices && choices.GetArrayLength() > 0
        && choices[0].GetProperty("delta").TryGetProperty("content", out JsonElement content)
            ? content.GetString()
            : null;

    private static string? Finish(JsonElement chunk) =>
        chunk.GetProperty("choices") is { } choices && choices.GetArrayLength() > 0
        && choices[0].TryGetProperty("finish_reason", out JsonElement reason)
            ? reason.GetString()
            : null;

    private static HttpRequestMessage Post(JsonObject body) => new(HttpMethod.Post, "/v1/chat/completions")
    {
        Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json"),
    };

    private async Task<HttpResponseMessage> Send(HttpRequestMessage request, CancellationToken cancellation)
    {
        HttpResponseMessage response;
        try
        {
            response = await _http.SendAsync(request, cancellation);
        }
        catch (HttpRequestException problem)
        {
            throw new CliException(ExitCode.Failure, $"{_http.BaseAddress} cannot be reached: {problem.Message}. Is `concertina serve` running?");
        }
        if (!response.IsSuccessStatusCode)
        {
            string text = await response.Content.ReadAsStringAsync(cancellation);
            response.Dispose();
            throw new CliException(ExitCode.Failure, $"{_http.BaseAddress} answered {(int)response.StatusCode}: {text}");
        }
        return response;
    }
}
