using System.Text.Json;

namespace Concertina.Gateway.Tests.Kit;

/// <summary>One whole HTTP answer.</summary>
internal sealed record Answer(int Status, string Body, ILookup<string, string> Headers)
{
    public JsonElement Json { get; } = JsonDocument.Parse(Body.StartsWith('{') ? Body : "null").RootElement;

    public JsonElement Error => Json.GetProperty("error");

    public string? Code => Error.GetProperty("code").GetString();

    public string? Param => Error.GetProperty("param").GetString();

    public string Text => Json.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString()!;

    public string? Finish => Json.GetProperty("choices")[0].GetProperty("finish_reason").GetString();

    public JsonElement Usage => Json.GetProperty("usage");

    public int CachedTokens => Usage.GetProperty("prompt_tokens_details").GetProperty("cached_tokens").GetInt32();

    public string? Header(string name) => Headers[name.ToLowerInvariant()].FirstOrDefault();

    public static async Task<Answer> Of(HttpResponseMessage response)
    {
        string body = await response.Content.ReadAsStringAsync();
        ILookup<string, string> headers = response.Headers.Concat(response.Content.Headers)
            .SelectMany(header => header.Value, (header, value) => (Name: header.Key.ToLowerInvariant(), Value: value))
            .ToLookup(header => header.Name, header => header.Value);
        return new Answer((int)response.StatusCode, body, headers);
    }

    /// <summary>Asserts an error in the standard shape.</summary>
    public void Fails(int status, string code, string? param = null)
    {
        Assert.True(Status == status, $"{Status} instead of {status}: {Body}");
        Assert.Equal(["message", "type", "param", "code"], Error.EnumerateObject().Select(member => member.Name));
        Assert.NotEmpty(Error.GetProperty("message").GetString()!);
        Assert.Equal(code, Code);
        Assert.Equal(param, Param);
    }
}
