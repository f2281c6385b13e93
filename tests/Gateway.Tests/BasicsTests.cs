using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Concertina.Gateway.Tests.Kit;

namespace Concertina.Gateway.Tests;

/// <summary>Contract tests 1 to 15: the shape of an answer.</summary>
public sealed class BasicsTests : IAsyncLifetime
{
    private TestGateway _gateway = null!;

    public async ValueTask InitializeAsync() => _gateway = await TestGateway.Start();

    public ValueTask DisposeAsync() => _gateway.DisposeAsync();

    [Fact]
    public async Task T01_A_minimal_chat_is_answered()
    {
        Answer answer = await _gateway.Chat(TestGateway.Body());

        Assert.Equal(200, answer.Status);
        Assert.Equal("chat.completion", answer.Json.GetProperty("object").GetString());
        JsonElement choice = answer.Json.GetProperty("choices")[0];
        Assert.Equal(0, choice.GetProperty("index").GetInt32());
        Assert.Equal("assistant", choice.GetProperty("message").GetProperty("role").GetString());
        Assert.Equal(JsonValueKind.Null, choice.GetProperty("message").GetProperty("refusal").ValueKind);
        Assert.Equal(JsonValueKind.Null, choice.GetProperty("logprobs").ValueKind);
        Assert.Equal("Hello there, friend.", answer.Text);
        Assert.Equal("stop", answer.Finish);
        Assert.StartsWith("fp_", answer.Json.GetProperty("system_fingerprint").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task T01s_A_minimal_chat_streams()
    {
        StreamedAnswer answer = await _gateway.Stream(TestGateway.Body());

        Assert.Equal("Hello there, friend.", answer.Text);
        Assert.Equal("stop", answer.Finish);
    }

    [Theory]
    [InlineData("/v1/completions")]
    [InlineData("/completions")]
    [InlineData("/v1/embeddings")]
    public async Task T02_What_is_not_served_yet_says_so(string path)
    {
        using HttpResponseMessage response = await _gateway.Client.PostAsync(path, new StringContent("{}"));

        (await Answer.Of(response)).Fails(501, "not_supported");
    }

    [Fact]
    public async Task T03_Ids_have_the_prefix_and_are_unique()
    {
        HashSet<string> ids = [];
        for (int i = 0; i < 5; i++)
        {
            string id = (await _gateway.Chat(TestGateway.Body(), ("x-request-id", "same"))).Json.GetProperty("id").GetString()!;
            Assert.StartsWith("chatcmpl-", id, StringComparison.Ordinal);
            Assert.True(ids.Add(id));
        }
    }

    [Fact]
    public async Task T04_Created_is_the_time_of_the_request()
    {
        long before = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        long created = (await _gateway.Chat(TestGateway.Body())).Json.GetProperty("created").GetInt64();

        Assert.InRange(created, before, TimeProvider.System.GetUtcNow().ToUnixTimeSeconds());
    }

    [Fact]
    public async Task T05_The_served_name_is_echoed_also_through_an_alias()
    {
        await using TestGateway gateway = await TestGateway.Start(("Gateway:Aliases:gpt-4o", Demo.Model), ("Gateway:DefaultModel", Demo.Model));

        Assert.Equal(Demo.Model, (await gateway.Chat(TestGateway.Body())).Json.GetProperty("model").GetString());
        Assert.Equal(Demo.Model, (await gateway.Chat(TestGateway.Body(("model", "gpt-4o")))).Json.GetProperty("model").GetString());
        Assert.Equal(Demo.Model, (await gateway.Chat(TestGateway.Body(("model", null)))).Json.GetProperty("model").GetString());
    }

    [Fact]
    public async Task T06_Usage_adds_up()
    {
        Answer answer = await _gateway.Chat(TestGateway.Body());

        int prompt = answer.Usage.GetProperty("prompt_tokens").GetInt32();
        int completion = answer.Usage.GetProperty("completion_tokens").GetInt32();
        Assert.Equal(_gateway.Cluster.Requests.Single().PromptTokens, prompt);
        Assert.Equal(Demo.Tokens("Hello there, friend.").Length + 1, completion);
        Assert.Equal(prompt + completion, answer.Usage.GetProperty("total_tokens").GetInt32());
        JsonElement kv = answer.Usage.GetProperty("kv");
        Assert.Equal("f16", kv.GetProperty("rung").GetString());
        Assert.Equal(16, kv.GetProperty("bits").GetInt32());
        Assert.True(kv.GetProperty("exact").GetBoolean());
        Assert.False(kv.GetProperty("lossy").GetBoolean());
    }

    [Fact]
    public async Task T07_Models_are_listed_and_found()
    {
        JsonElement model = Assert.Single((await _gateway.Get("/v1/models")).Json.GetProperty("data").EnumerateArray());
        Assert.Equal(Demo.Model, model.GetProperty("id").GetString());
        Assert.Equal("model", model.GetProperty("object").GetString());
        Assert.Equal(Demo.ContextTokens, model.GetProperty("max_model_len").GetInt32());

        Assert.Equal(Demo.Model, (await _gateway.Get($"/v1/models/{Demo.Model}")).Json.GetProperty("id").GetString());
        (await _gateway.Get("/models/nothing")).Fails(404, "model_not_found", "model");
    }

    [Fact]
    public async Task T08_Unknown_fields_are_ignored()
    {
        Answer answer = await _gateway.Chat(TestGateway.Body(("metadata", new JsonObject { ["a"] = 1 }), ("wholly_unknown", true), ("user", "u1")));

        Assert.Equal(200, answer.Status);
    }

    [Theory]
    [InlineData("{\"model\":")]
    [InlineData("nothing")]
    [InlineData("[]")]
    [InlineData("")]
    public async Task T09_Bad_JSON_is_refused(string body)
    {
        using StringContent content = new(body, Encoding.UTF8, "application/json");
        using HttpResponseMessage response = await _gateway.Client.PostAsync("/v1/chat/completions", content);

        (await Answer.Of(response)).Fails(400, "invalid_json");
    }

    [Fact]
    public async Task T10_A_wrong_method_is_named() => (await _gateway.Get("/v1/chat/completions")).Fails(405, "method_not_allowed");

    [Fact]
    public async Task T11_A_wrong_path_is_an_error_object() => (await _gateway.Get("/v2/chat")).Fails(404, "path_not_found");

    [Theory]
    [InlineData(3_000)]
    [InlineData(60_000)]
    public async Task T12_A_body_over_the_limit_is_refused(int chars)
    {
        await using TestGateway gateway = await TestGateway.Start(("Gateway:MaxBodyBytes", "2048"));
        JsonObject body = TestGateway.Body(("padding", new string('x', chars)));

        (await gateway.Chat(body)).Fails(413, "request_too_large");
        Assert.Equal(200, (await gateway.Chat(TestGateway.Body())).Status);
    }

    [Fact]
    public async Task T13_Characters_are_whole_although_tokens_cut_them()
    {
        const string Text = "Grüße, 世界! 🌍🎉 ñandú — ελληνικά 🤹‍♀️";
        int[] tokens = Demo.Tokens(Text);
        Assert.Contains(tokens, token => Demo.Tokenizer.Decode([token], skipSpecial: true).Contains('\uFFFD', StringComparison.Ordinal));
        _gateway.Cluster.Script = Scripts.Say(Text);

        Answer whole = await _gateway.Chat(TestGateway.Body());
        StreamedAnswer streamed = await _gateway.Stream(TestGateway.Body());

        Assert.Equal(Text, whole.Text);
        Assert.Equal(Text, streamed.Text);
        Assert.All(streamed.Pieces, piece =>
        {
            Assert.DoesNotContain('\uFFFD', piece);
            Assert.False(piece.Length > 0 && (char.IsLowSurrogate(piece[0]) || char.IsHighSurrogate(piece[^1])), piece);
        });
        Assert.Contains("世", streamed.Raw, StringComparison.Ordinal);
    }

    [Fact]
    public async Task T14_Content_parts_equal_a_string()
    {
        JsonArray parts = [new JsonObject { ["type"] = "text", ["text"] = "Hello " }, new JsonObject { ["type"] = "text", ["text"] = "you." }];
        await _gateway.Chat(TestGateway.Body(("messages", new JsonArray(new JsonObject { ["role"] = "user", ["content"] = parts }))));
        await _gateway.Chat(TestGateway.Body(("messages", new JsonArray(new JsonObject { ["role"] = "user", ["content"] = "Hello you." }))));

        Assert.Equal(2, _gateway.Cluster.Requests.Count);
        Assert.Equal(_gateway.Cluster.Requests.First().Prompt, _gateway.Cluster.Requests.Last().Prompt);
    }

    [Fact]
    public async Task T15_The_developer_role_is_the_system_role()
    {
        foreach (string role in (string[])["developer", "system"])
        {
            JsonArray messages = [new JsonObject { ["role"] = role, ["content"] = "Be brief." }, new JsonObject { ["role"] = "user", ["content"] = "Hi." }];
            Assert.Equal(200, (await _gateway.Chat(TestGateway.Body(("messages", messages)))).Status);
        }
        Assert.Equal(_gateway.Cluster.Requests.First().Prompt, _gateway.Cluster.Requests.Last().Prompt);
    }
}
