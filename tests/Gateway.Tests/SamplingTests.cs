using System.Text.Json.Nodes;
using Concertina.Contracts.Sessions;
using Concertina.Gateway.Tests.Kit;

namespace Concertina.Gateway.Tests;

/// <summary>Contract tests 41 to 47 and what is refused until it is supported.</summary>
public sealed class SamplingTests : IAsyncLifetime
{
    private TestGateway _gateway = null!;

    public async ValueTask InitializeAsync() => _gateway = await TestGateway.Start();

    public ValueTask DisposeAsync() => _gateway.DisposeAsync();

    [Theory]
    [InlineData("temperature", "-0.1")]
    [InlineData("temperature", "2.1")]
    [InlineData("temperature", "1e999")]
    [InlineData("temperature", "\"1\"")]
    [InlineData("top_p", "0")]
    [InlineData("top_p", "1.01")]
    [InlineData("top_k", "-2")]
    [InlineData("top_k", "1.5")]
    [InlineData("min_p", "-0.01")]
    [InlineData("min_p", "1.01")]
    [InlineData("max_tokens", "0")]
    [InlineData("max_completion_tokens", "-1")]
    [InlineData("max_tokens", "\"5\"")]
    [InlineData("n", "0")]
    [InlineData("n", "129")]
    [InlineData("presence_penalty", "2.1")]
    [InlineData("frequency_penalty", "-2.1")]
    [InlineData("repetition_penalty", "0")]
    [InlineData("top_logprobs", "3")]
    [InlineData("top_logprobs", "21")]
    [InlineData("seed", "0.5")]
    [InlineData("stream", "\"yes\"")]
    [InlineData("session_id", "\"../x\"")]
    [InlineData("session_id", "\"~x\"")]
    [InlineData("session_id", "\"abc\\n\"")]
    [InlineData("cache_salt", "\"\"")]
    [InlineData("priority", "3")]
    [InlineData("tools", "[]")]
    [InlineData("tool_choice", "\"auto\"")]
    public async Task T41_A_value_out_of_range_is_refused_by_name(string field, string value)
    {
        (await _gateway.Chat(TestGateway.Body((field, JsonNode.Parse(value))))).Fails(400, "invalid_value", field);
        Assert.Empty(_gateway.Cluster.Requests);
    }

    [Theory]
    [InlineData("temperature", "0")]
    [InlineData("temperature", "0.001")]
    [InlineData("temperature", "2")]
    [InlineData("temperature", "null")]
    [InlineData("top_p", "1")]
    [InlineData("top_p", "0.0001")]
    [InlineData("top_k", "-1")]
    [InlineData("top_k", "0")]
    [InlineData("min_p", "1")]
    [InlineData("n", "1")]
    [InlineData("presence_penalty", "0")]
    [InlineData("repetition_penalty", "1")]
    [InlineData("logprobs", "false")]
    [InlineData("logit_bias", "{}")]
    [InlineData("tools", "null")]
    [InlineData("response_format", "{\"type\":\"text\"}")]
    [InlineData("seed", "-1")]
    [InlineData("priority", "0")]
    public async Task T41b_A_value_at_the_edge_is_taken(string field, string value) =>
        Assert.Equal(200, (await _gateway.Chat(TestGateway.Body((field, JsonNode.Parse(value))))).Status);

    [Theory]
    [InlineData("tools", "[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}]")]
    [InlineData("response_format", "{\"type\":\"json_object\"}")]
    [InlineData("response_format", "{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"a\"}}")]
    [InlineData("logprobs", "true")]
    [InlineData("n", "3")]
    [InlineData("logit_bias", "{\"5\":-100}")]
    [InlineData("presence_penalty", "0.5")]
    [InlineData("frequency_penalty", "0.5")]
    [InlineData("repetition_penalty", "1.1")]
    [InlineData("echo", "true")]
    [InlineData("min_tokens", "4")]
    [InlineData("structured_outputs", "{\"regex\":\"a\"}")]
    [InlineData("skip_special_tokens", "false")]
    [InlineData("continue_final_message", "true")]
    [InlineData("modalities", "[\"audio\"]")]
    public async Task What_comes_later_is_refused_by_name_and_not_ignored(string field, string value)
    {
        Answer answer = await _gateway.Chat(TestGateway.Body((field, JsonNode.Parse(value))));

        answer.Fails(501, "not_supported", field);
        Assert.Equal("false", answer.Header("x-should-retry"));
        Assert.Empty(_gateway.Cluster.Requests);
    }

    [Theory]
    [InlineData("null", "missing_required_parameter", "messages")]
    [InlineData("\"hello\"", "invalid_value", "messages")]
    [InlineData("[]", "invalid_value", "messages")]
    [InlineData("[123]", "invalid_value", "messages[0]")]
    [InlineData("[{}]", "invalid_value", "messages[0].role")]
    [InlineData("[{\"role\":123}]", "invalid_value", "messages[0].role")]
    [InlineData("[{\"role\":\"a|b\",\"content\":\"x\"}]", "invalid_value", "messages[0].role")]
    [InlineData("[{\"role\":\"user\\n\",\"content\":\"x\"}]", "invalid_value", "messages[0].role")]
    [InlineData("[{\"role\":\"user\"}]", "invalid_value", "messages[0].content")]
    [InlineData("[{\"role\":\"assistant\",\"content\":null}]", "invalid_value", "messages[0].content")]
    [InlineData("[{\"role\":\"system\",\"content\":123}]", "invalid_value", "messages[0].content")]
    [InlineData("[{\"role\":\"user\",\"content\":[{\"type\":\"text\"}]}]", "invalid_value", "messages[0].content[0].text")]
    [InlineData("[{\"role\":\"user\",\"content\":[{\"type\":\"poem\"}]}]", "invalid_value", "messages[0].content[0].type")]
    [InlineData("[{\"role\":\"assistant\",\"content\":\"a\"},{\"role\":\"assistant\",\"content\":\"b\"}]", "invalid_value", "messages")]
    public async Task Malformed_messages_are_named_by_their_place(string messages, string code, string param) =>
        (await _gateway.Chat(TestGateway.Body(("messages", JsonNode.Parse(messages))))).Fails(400, code, param);

    [Fact]
    public async Task T42_A_seed_repeats_and_its_absence_does_not()
    {
        _gateway.Cluster.Script = Scripts.Babble();

        string once = (await _gateway.Chat(TestGateway.Body(("seed", 42)))).Text;
        string again = (await _gateway.Chat(TestGateway.Body(("seed", 42)))).Text;
        string[] free = [(await _gateway.Chat(TestGateway.Body())).Text, (await _gateway.Chat(TestGateway.Body())).Text];

        Assert.Equal(once, again);
        Assert.Equal(42, _gateway.Cluster.Requests.First().Sampling.Seed);
        Assert.NotEqual(free[0], free[1]);
    }

    [Fact]
    public async Task T47_Greedy_equals_top_k_1()
    {
        _gateway.Cluster.Script = Scripts.Babble();

        string greedy = (await _gateway.Chat(TestGateway.Body(("temperature", 0)))).Text;
        string first = (await _gateway.Chat(TestGateway.Body(("top_k", 1)))).Text;

        Assert.Equal(greedy, first);
    }

    [Fact]
    public async Task Defaults_are_those_of_the_contract_and_values_arrive_as_sent()
    {
        await _gateway.Chat(TestGateway.Body());
        await _gateway.Chat(TestGateway.Body(("temperature", 0.5), ("top_p", 0.9), ("top_k", 40), ("min_p", 0.05), ("seed", 9)), ("x-kv-policy", "lossless"));

        GenerateRequest plain = _gateway.Cluster.Requests.First();
        Assert.Equal(new SamplingSettings { Temperature = 1, TopP = 1, TopK = 0, MinP = 0, Seed = plain.Sampling.Seed }, plain.Sampling);
        Assert.Null(plain.MaxNewTokens);
        Assert.Equal(KvPolicy.Elastic, plain.Policy);
        GenerateRequest chosen = _gateway.Cluster.Requests.Last();
        Assert.Equal(new SamplingSettings { Temperature = 0.5f, TopP = 0.9f, TopK = 40, MinP = 0.05f, Seed = 9 }, chosen.Sampling);
        Assert.Equal(KvPolicy.Lossless, chosen.Policy);
        (await _gateway.Chat(TestGateway.Body(), ("x-kv-policy", "garbage"))).Fails(400, "invalid_value", "x-kv-policy");
    }
}
