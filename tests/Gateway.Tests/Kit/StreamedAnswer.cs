using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json;

namespace Concertina.Gateway.Tests.Kit;

/// <summary>A streamed answer: each event in order, or the error it got instead of a stream.</summary>
internal sealed record StreamedAnswer(int Status, string Raw, IReadOnlyList<string> Events)
{
    public IReadOnlyList<JsonElement> Chunks { get; } =
        [.. Events.Where(data => data != "[DONE]").Select(data => JsonDocument.Parse(data).RootElement)];

    /// <summary>Chunks with a choice.</summary>
    public IEnumerable<JsonElement> Choices =>
        Chunks.Where(chunk => chunk.TryGetProperty("choices", out JsonElement choices) && choices.GetArrayLength() > 0).Select(chunk => chunk.GetProperty("choices")[0]);

    public IEnumerable<string> Pieces => Choices
        .Select(choice => choice.GetProperty("delta"))
        .Where(delta => delta.TryGetProperty("content", out _))
        .Select(delta => delta.GetProperty("content").GetString()!);

    public string Text => string.Concat(Pieces);

    public string? Finish => Choices.Select(choice => choice.GetProperty("finish_reason").GetString()).SingleOrDefault(reason => reason is not null);

    public static async Task<StreamedAnswer> Of(HttpResponseMessage response)
    {
        string raw = await response.Content.ReadAsStringAsync();
        if (response.Content.Headers.ContentType?.MediaType != "text/event-stream")
        {
            return new StreamedAnswer((int)response.StatusCode, raw, []);
        }
        using MemoryStream bytes = new(Encoding.UTF8.GetBytes(raw));
        List<string> events = [];
        await foreach (SseItem<string> item in SseParser.Create(bytes).EnumerateAsync())
        {
            events.Add(item.Data);
        }
        return new StreamedAnswer((int)response.StatusCode, raw, events);
    }
}
