using System.Globalization;
using System.Text.Json.Nodes;
using Concertina.Contracts.Sessions;
using Concertina.Gateway.Tests.Kit;

namespace Concertina.Gateway.Tests.Kv;

/// <summary>Contract tests 87 and 88: what a request asks of its KV cache arrives as asked, or is refused by name.</summary>
public sealed class KvRequestTests : IAsyncLifetime
{
    private TestGateway _gateway = null!;

    private GenerateRequest Sent => _gateway.Cluster.Requests.Last();

    public async ValueTask InitializeAsync() => _gateway = await TestGateway.Start();

    public ValueTask DisposeAsync() => _gateway.DisposeAsync();

    [Theory]
    [InlineData("x-kv-max-ratio", "garbage")]
    [InlineData("x-kv-max-ratio", "0.99")]
    [InlineData("x-kv-max-ratio", "-4")]
    [InlineData("x-kv-max-ratio", "NaN")]
    [InlineData("x-kv-max-ratio", "Infinity")]
    [InlineData("x-kv-max-ratio", "1e400")]
    [InlineData("x-kv-max-ratio", "4x")]
    [InlineData("x-kv-max-ratio", "1,5")]
    [InlineData("x-kv-max-ratio", "4, 4")]
    [InlineData("x-kv-floor", "-0.01")]
    [InlineData("x-kv-floor", "nan")]
    [InlineData("x-kv-floor", "infinity")]
    [InlineData("x-kv-floor", "-1e400")]
    [InlineData("x-kv-floor", "INT4")]
    [InlineData("x-kv-floor", "int 4")]
    [InlineData("x-kv-floor", "0x10")]
    [InlineData("x-kv-floor", "0,01")]
    [InlineData("x-kv-floor", "a23456789012345678901234567890123")]
    [InlineData("x-kv-policy", "garbage")]
    [InlineData("x-kv-policy", "Lossless")]
    [InlineData("x-kv-policy", "lossless,elastic")]
    public async Task T88_A_header_of_garbage_is_refused_by_name_and_says_what_is_allowed(string header, string value)
    {
        Answer answer = await _gateway.Chat(TestGateway.Body(), (header, value));

        answer.Fails(400, "invalid_value", header);
        Assert.Contains("must be", answer.Error.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Empty(_gateway.Cluster.Requests);
    }

    [Theory]
    [InlineData("{\"policy\":\"garbage\"}", "kv.policy")]
    [InlineData("{\"policy\":7}", "kv.policy")]
    [InlineData("{\"floor\":-0.01}", "kv.floor")]
    [InlineData("{\"floor\":1e400}", "kv.floor")]
    [InlineData("{\"floor\":\"0.01\"}", "kv.floor")]
    [InlineData("{\"floor\":\"\"}", "kv.floor")]
    [InlineData("{\"floor\":\"int4\\n\"}", "kv.floor")]
    [InlineData("{\"floor\":\"\\ud800\"}", "kv.floor")]
    [InlineData("{\"floor\":[\"int4\"]}", "kv.floor")]
    [InlineData("{\"floor\":true}", "kv.floor")]
    [InlineData("{\"max_ratio\":0.5}", "kv.max_ratio")]
    [InlineData("{\"max_ratio\":1e999}", "kv.max_ratio")]
    [InlineData("{\"max_ratio\":\"4\"}", "kv.max_ratio")]
    [InlineData("{\"max_ratio\":{}}", "kv.max_ratio")]
    [InlineData("{\"rung\":\"int4\"}", "kv.rung")]
    [InlineData("{\"Floor\":\"int4\"}", "kv.Floor")]
    [InlineData("{\"maxratio\":4}", "kv.maxratio")]
    [InlineData("{\"\":4}", "kv.")]
    [InlineData("\"lossless\"", "kv")]
    [InlineData("[]", "kv")]
    [InlineData("4", "kv")]
    public async Task T88_A_member_of_garbage_is_refused_by_name_and_says_what_is_allowed(string kv, string param)
    {
        Answer answer = await Post(kv);

        answer.Fails(400, "invalid_value", param);
        Assert.Matches("must be|takes", answer.Error.GetProperty("message").GetString());
        Assert.Empty(_gateway.Cluster.Requests);
    }

    [Fact]
    public async Task The_name_of_an_unknown_member_is_repeated_only_while_it_is_short() =>
        (await Post($"{{\"{new string('a', 5_000)}\":1}}")).Fails(400, "invalid_value", "kv");

    [Theory]
    [InlineData("{\"policy\":\"economy\"}", KvPolicy.Economy, null, null, null)]
    [InlineData("{\"policy\":\"lossless\"}", KvPolicy.Lossless, null, null, null)]
    [InlineData("{\"floor\":\"k4v2+evict4\"}", KvPolicy.Elastic, "k4v2+evict4", null, null)]
    [InlineData("{\"floor\":0.01}", KvPolicy.Elastic, null, 0.01, null)]
    [InlineData("{\"floor\":0}", KvPolicy.Elastic, null, 0.0, null)]
    [InlineData("{\"max_ratio\":1}", KvPolicy.Elastic, null, null, 1.0)]
    [InlineData("{\"policy\":\"elastic\",\"floor\":\"int4\",\"max_ratio\":3.5}", KvPolicy.Elastic, "int4", null, 3.5)]
    [InlineData("{\"policy\":\"lossless\",\"floor\":\"int4\",\"max_ratio\":3.5}", KvPolicy.Lossless, "int4", null, 3.5)]
    [InlineData("{\"policy\":null,\"floor\":null,\"max_ratio\":null}", KvPolicy.Elastic, null, null, null)]
    [InlineData("{}", KvPolicy.Elastic, null, null, null)]
    [InlineData("null", KvPolicy.Elastic, null, null, null)]
    public async Task The_kv_object_reaches_the_session_as_it_is(string kv, KvPolicy policy, string? rung, double? nats, double? ratio)
    {
        Assert.Equal(200, (await Post(kv)).Status);

        Assert.Equal((policy, rung, nats, ratio), (Sent.Policy, Sent.FloorRung, Sent.FloorNats, Sent.MaxRatio));
    }

    [Theory]
    [InlineData("x-kv-policy", "economy", KvPolicy.Economy, null, null, null)]
    [InlineData("x-kv-floor", "commvq2", KvPolicy.Elastic, "commvq2", null, null)]
    [InlineData("x-kv-floor", "0.01", KvPolicy.Elastic, null, 0.01, null)]
    [InlineData("x-kv-floor", "1e-3", KvPolicy.Elastic, null, 0.001, null)]
    [InlineData("x-kv-max-ratio", "4", KvPolicy.Elastic, null, null, 4.0)]
    [InlineData("x-kv-max-ratio", "", KvPolicy.Elastic, null, null, null)]
    public async Task A_header_reaches_the_session_as_it_is(string header, string value, KvPolicy policy, string? rung, double? nats, double? ratio)
    {
        Assert.Equal(200, (await _gateway.Chat(TestGateway.Body(), (header, value))).Status);

        Assert.Equal((policy, rung, nats, ratio), (Sent.Policy, Sent.FloorRung, Sent.FloorNats, Sent.MaxRatio));
    }

    [Fact]
    public async Task A_longest_rung_name_is_one_that_a_message_takes()
    {
        string longest = new('a', GenerateRequest.MaxRungChars);

        Assert.Equal(200, (await _gateway.Chat(TestGateway.Body(), ("x-kv-floor", longest))).Status);
        Assert.Equal(longest, Sent.FloorRung);
    }

    [Theory]
    [InlineData("x-kv-policy", "economy", "{\"policy\":\"lossless\"}", "kv.policy")]
    [InlineData("x-kv-floor", "int4", "{\"floor\":\"int8\"}", "kv.floor")]
    [InlineData("x-kv-floor", "0.01", "{\"floor\":0.02}", "kv.floor")]
    [InlineData("x-kv-floor", "0.01", "{\"floor\":\"int8\"}", "kv.floor")]
    [InlineData("x-kv-max-ratio", "2", "{\"max_ratio\":2.5}", "kv.max_ratio")]
    public async Task A_header_and_a_body_that_disagree_are_refused_with_both_names(string header, string value, string kv, string param)
    {
        Answer answer = await Post(kv, (header, value));

        answer.Fails(400, "invalid_value", param);
        string message = answer.Error.GetProperty("message").GetString()!;
        Assert.Contains($"'{header}' says {value}", message, StringComparison.Ordinal);
        Assert.Contains($"'{param}' says ", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_header_and_a_body_that_agree_or_complete_each_other_are_taken()
    {
        Answer answer = await Post("{\"floor\":0.010,\"policy\":\"economy\"}", ("x-kv-floor", "1e-2"), ("x-kv-max-ratio", "4"));

        Assert.Equal(200, answer.Status);
        Assert.Equal((KvPolicy.Economy, 0.01, 4.0), (Sent.Policy, Sent.FloorNats, Sent.MaxRatio));
    }

    [Theory]
    [InlineData("{\"floor\":\"int99\"}", null, "kv.floor", "kv.floor")]
    [InlineData("{}", "int99", "kv.floor", "x-kv-floor")]
    [InlineData("{\"floor\":\"int99\"}", null, null, null)]
    public async Task T88_A_rung_the_model_lacks_is_refused_with_the_ladder_where_the_client_wrote_it(string kv, string? header, string? refused, string? param)
    {
        Refuse(new Refusal
        {
            Reason = RefusalReason.Invalid,
            Message = "This model has no rung 'int99'; its ladder is f16, int4.",
            Param = refused,
        });

        Answer answer = await Post(kv, header is null ? [] : [("x-kv-floor", header)]);

        answer.Fails(400, "invalid_value", param);
        Assert.Contains("its ladder is f16, int4", answer.Error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task T87_A_floor_that_can_never_be_met_is_422_with_the_bytes(bool stream)
    {
        Refuse(new Refusal
        {
            Reason = RefusalReason.NeverFits,
            Message = "At its floor 'int8' a sequence of 8,000 tokens needs 20,480,000 bytes; the budget can promise 16,777,216 bytes.",
            NeededBytes = 20_480_000,
            AvailableBytes = 16_777_216,
        });

        Answer answer = await Post("{\"floor\":\"int8\"}", stream, []);

        answer.Fails(422, "unprocessable");
        Assert.Contains("20,480,000 bytes", answer.Error.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Contains("16,777,216 bytes", answer.Error.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Null(answer.Header("retry-after"));
    }

    [Fact]
    public async Task No_kv_object_is_the_servers_fault_and_none_brings_a_bound_out_of_range_to_a_session()
    {
        const int Seed = 87;
        Random random = new(Seed);
        string[] names = ["policy", "floor", "max_ratio", "floor ", "\\u0066loor", "\\udfff", "kv", ""];
        string[] values =
        [
            "null", "true", "0", "-0", "-0.0", "1", "1.0000000000000001", "3.5", "1e400", "-1e400", "1e-400", "99999999999999999999", "\"\"",
            "\"lossless\"", "\"economy\"", "\"int4\"", "\"int4+evict4\"", "\"NaN\"", "\"\\ud800\"", "\"\\u0000\"", "[]", "[4]", "{}", "{\"floor\":1}",
        ];
        for (int i = 0; i < 500; i++)
        {
            IEnumerable<string> members = Enumerable.Range(0, random.Next(4))
                .Select(_ => $"\"{names[random.Next(names.Length)]}\":{values[random.Next(values.Length)]}");
            string kv = random.Next(10) == 0 ? values[random.Next(values.Length)] : $"{{{string.Join(',', members)}}}";

            Answer answer = await Post(kv);

            Assert.True(answer.Status is 200 or 400, string.Create(CultureInfo.InvariantCulture, $"seed {Seed}, {i}: {kv} gave {answer.Status}: {answer.Body}"));
        }
        Assert.NotEmpty(_gateway.Cluster.Requests);
        Assert.All(_gateway.Cluster.Requests, request =>
        {
            Assert.True(request.FloorNats is null || (double.IsFinite(request.FloorNats.Value) && request.FloorNats >= 0), $"{request.FloorNats}");
            Assert.True(request.MaxRatio is null || (double.IsFinite(request.MaxRatio.Value) && request.MaxRatio >= 1), $"{request.MaxRatio}");
            Assert.False(request.FloorRung is not null && request.FloorNats is not null);
        });
    }

    private void Refuse(Refusal refusal) =>
        _gateway.Cluster.Script = (_, _) => new[] { new TokenChunk { Refusal = refusal } }.ToAsyncEnumerable();

    private Task<Answer> Post(string kv, params (string Name, string Value)[] headers) => Post(kv, stream: false, headers);

    private async Task<Answer> Post(string kv, bool stream, (string Name, string Value)[] headers)
    {
        JsonObject body = TestGateway.Body(("stream", stream));
        using HttpRequestMessage request = TestGateway.Request(body, headers);
        string text = body.ToJsonString();
        request.Content = new StringContent($"{text[..^1]},\"kv\":{kv}}}", System.Text.Encoding.UTF8, "application/json");
        using HttpResponseMessage response = await _gateway.Client.SendAsync(request);
        return await Answer.Of(response);
    }
}
