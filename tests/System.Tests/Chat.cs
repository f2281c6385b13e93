using System.Net;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Concertina.System.Tests;

/// <summary>What a client of the chat API sees.</summary>
internal static class Chat
{
    public static JsonObject Body(int maxTokens, params (string Role, string Content)[] messages) => new()
    {
        ["model"] = "demo",
        ["temperature"] = 0,
        ["max_tokens"] = maxTokens,
        ["messages"] = new JsonArray([.. messages.Select(message => new JsonObject
        {
            ["role"] = message.Role,
            ["content"] = message.Content,
        })]),
    };

    public static async Task<JsonElement> Complete(HttpClient client, JsonObject body, CancellationToken cancellation = default)
    {
        using HttpResponseMessage response = await client.PostAsJsonAsync("/v1/chat/completions", body, cancellation);
        string text = await response.Content.ReadAsStringAsync(cancellation);
        Assert.True(response.StatusCode == HttpStatusCode.OK, $"{(int)response.StatusCode}: {text}");
        return JsonDocument.Parse(text).RootElement;
    }

    public static string Text(JsonElement completion) =>
        completion.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString()!;

    public static int CachedTokens(JsonElement completion) =>
        completion.GetProperty("usage").GetProperty("prompt_tokens_details").GetProperty("cached_tokens").GetInt32();

    /// <summary>Streams one answer and asserts the shape of the stream: role first, one finish, DONE last.</summary>
    /// <param name="client">Client of the server.</param>
    /// <param name="body">Request; its <c>stream</c> is set.</param>
    /// <param name="read">Nothing of the body is read before this task ends; null: at once.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public static async Task<StreamedAnswer> Stream(
        HttpClient client, JsonObject body, Task? read = null, CancellationToken cancellation = default)
    {
        body["stream"] = true;
        using HttpRequestMessage request = new(HttpMethod.Post, "/v1/chat/completions") { Content = JsonContent.Create(body) };
        using HttpResponseMessage response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
        if (response.StatusCode != HttpStatusCode.OK)
        {
            return new StreamedAnswer((int)response.StatusCode, "", null, await response.Content.ReadAsStringAsync(cancellation));
        }
        StringBuilder text = new();
        string? finish = null;
        string? error = null;
        bool done = false;
        await using Stream stream = await response.Content.ReadAsStreamAsync(cancellation);
        await (read ?? Task.CompletedTask).WaitAsync(cancellation);
        await foreach (SseItem<string> item in SseParser.Create(stream).EnumerateAsync(cancellation))
        {
            Assert.False(done, "An event followed [DONE].");
            if (item.Data == "[DONE]")
            {
                done = true;
                continue;
            }
            JsonElement chunk = JsonDocument.Parse(item.Data).RootElement;
            if (chunk.TryGetProperty("error", out JsonElement problem))
            {
                error = problem.ToString();
                continue;
            }
            JsonElement choice = chunk.GetProperty("choices")[0];
            if (choice.GetProperty("delta").TryGetProperty("content", out JsonElement content))
            {
                text.Append(content.GetString());
            }
            if (choice.GetProperty("finish_reason").GetString() is { } reason)
            {
                Assert.Null(finish);
                finish = reason;
            }
        }
        Assert.True(done, "The stream ended without [DONE].");
        return new StreamedAnswer(200, text.ToString(), finish, error);
    }
}
