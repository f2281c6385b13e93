using System.Text;
using System.Text.Json.Nodes;
using Concertina.Gateway.Tests.Kit;

namespace Concertina.Gateway.Tests;

/// <summary>Whatever a client sends, it gets an answer that blames the right side.</summary>
public sealed class HostileBodyTests : IAsyncLifetime
{
    private const int Seed = 41;
    private static readonly string[] Fields =
    [
        "model", "messages", "temperature", "top_p", "top_k", "min_p", "max_tokens", "n", "stop", "stop_token_ids", "stream",
        "stream_options", "seed", "session_id", "cache_salt", "tools", "tool_choice", "response_format", "modalities", "priority",
        "logit_bias", "logprobs", "top_logprobs", "functions", "chat_template_kwargs", "skip_special_tokens", "add_generation_prompt",
        "kv",
    ];

    private static readonly string[] Values =
    [
        "null", "true", "false", "0", "-1", "1", "3.5", "1e400", "-1e400", "99999999999999999999", "\"\"", "\"text\"", "\"\\ud800\"", "[]", "{}",
        "[null]", "[[[[]]]]", "[{}]", "{\"type\":\"text\"}", "{\"type\":7}", "{\"type\":\"\\udfff\"}", "{\"a\":{\"b\":[1,2,{}]}}",
        "[{\"role\":\"user\",\"content\":\"\\ud800\"}]", "[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":null}]}]",
        "[{\"role\":\"user\",\"content\":\"\\u0000\\uffff\"}]", "[{\"role\":\"\\ud800\",\"content\":\"a\"}]", "[\"\\ud800\"]",
        "{\"policy\":\"lossless\",\"floor\":0.01}", "{\"floor\":1e400}", "{\"\\udfff\":1}",
    ];

    private TestGateway _gateway = null!;

    public async ValueTask InitializeAsync() => _gateway = await TestGateway.Start();

    public ValueTask DisposeAsync() => _gateway.DisposeAsync();

    [Fact]
    public async Task No_value_of_any_field_is_the_servers_fault()
    {
        Random random = new(Seed);
        for (int i = 0; i < 400; i++)
        {
            Dictionary<string, string> members = new()
            {
                ["model"] = "\"demo\"",
                ["messages"] = "[{\"role\":\"user\",\"content\":\"Hi.\"}]",
                ["max_tokens"] = "3",
            };
            for (int change = random.Next(1, 3); change > 0; change--)
            {
                members[Fields[random.Next(Fields.Length)]] = Values[random.Next(Values.Length)];
            }
            string body = $"{{{string.Join(',', members.Select(member => $"\"{member.Key}\":{member.Value}"))}}}";

            Answer answer = await Post(Encoding.UTF8.GetBytes(body));

            Assert.True(answer.Status is 200 or 400 or 404 or 501, $"seed {Seed}, body {i}: {body} gave {answer.Status}: {answer.Body}");
        }
    }

    [Theory]
    [InlineData("{\"model\":\"demo\",\"\\ud800\":1,\"messages\":[{\"role\":\"user\",\"content\":\"Hi.\"}]}")]
    [InlineData("{\"model\":\"demo\",\"messages\":[{\"role\":\"user\",\"content\":\"half \\ud83d\"}]}")]
    [InlineData("{\"model\":\"demo\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi.\",\"\\udfff\":1}]}")]
    [InlineData("{\"model\":\"demo\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi.\"}],\"kv\":{\"\\ud800\":1}}")]
    [InlineData("{\"model\":\"demo\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi.\"}],\"response_format\":{\"type\":\"\\ud800\"}}")]
    public async Task Half_a_character_is_refused(string body)
    {
        Answer answer = await Post(Encoding.UTF8.GetBytes(body));

        Assert.True(answer.Status == 400, answer.Body);
    }

    [Fact]
    public async Task Half_a_character_in_a_modality_is_a_modality_nobody_serves() =>
        (await Post(Encoding.UTF8.GetBytes("{\"model\":\"demo\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi.\"}],\"modalities\":[\"\\ud800\"]}")))
            .Fails(501, "not_supported", "modalities");

    [Fact]
    public async Task A_body_that_is_not_UTF8_is_refused()
    {
        byte[] body = [.. "{\"model\":\"demo\",\"messages\":[{\"role\":\"user\",\"content\":\""u8, 0xC3, 0x28, .. "\"}]}"u8];

        (await Post(body)).Fails(400, "invalid_json");
    }

    [Fact]
    public async Task Deep_nesting_is_refused()
    {
        string deep = string.Concat(Enumerable.Repeat('[', 100_000));

        (await Post(Encoding.UTF8.GetBytes(deep))).Fails(400, "invalid_json");
    }

    [Fact]
    public async Task The_whole_conversation_may_be_any_text()
    {
        Random random = new(Seed);
        for (int i = 0; i < 50; i++)
        {
            StringBuilder text = new();
            for (int length = random.Next(1, 200); length > 0; length--)
            {
                text.Append(new Rune(random.Next(5) == 0 ? random.Next(0x1F300, 0x1F6FF) : random.Next(1, 0xD7FF)));
            }
            JsonArray messages = [new JsonObject { ["role"] = "user", ["content"] = text.ToString() }];

            Assert.Equal(200, (await _gateway.Chat(TestGateway.Body(("messages", messages)))).Status);
        }
    }

    private async Task<Answer> Post(byte[] body)
    {
        using ByteArrayContent content = new(body);
        content.Headers.ContentType = new("application/json");
        using HttpResponseMessage response = await _gateway.Client.PostAsync("/v1/chat/completions", content);
        if (response.Content.Headers.ContentType?.MediaType == "text/event-stream")
        {
            return new Answer((int)response.StatusCode, "", Enumerable.Empty<string>().ToLookup(name => name));
        }
        return await Answer.Of(response);
    }
}
