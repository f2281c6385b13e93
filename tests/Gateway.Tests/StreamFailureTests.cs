using System.Text.Json;
using System.Text.Json.Nodes;
using Concertina.Contracts.Sessions;
using Concertina.Gateway.Tests.Kit;

namespace Concertina.Gateway.Tests;

/// <summary>Contract tests 27 and 28: what fails before the first byte, in mid-stream, and what clients are told of it.</summary>
public sealed class StreamFailureTests : IAsyncLifetime
{
    private TestGateway _gateway = null!;

    public async ValueTask InitializeAsync() => _gateway = await TestGateway.Start();

    public ValueTask DisposeAsync() => _gateway.DisposeAsync();

    [Fact]
    public async Task T27_An_error_in_mid_stream_is_an_event_and_then_DONE()
    {
        _gateway.Cluster.Script = Scripts.SayThenFail("Half a sen");

        StreamedAnswer answer = await _gateway.Stream(TestGateway.Body());

        Assert.Equal(200, answer.Status);
        Assert.Equal("Half a sen", answer.Text);
        JsonElement error = answer.Chunks[^1].GetProperty("error");
        Assert.Equal(["message", "type", "param", "code"], error.EnumerateObject().Select(member => member.Name));
        Assert.Equal("server_error", error.GetProperty("type").GetString());
        Assert.Equal("decode/not-finite", error.GetProperty("code").GetString());
        Assert.Equal("[DONE]", answer.Events[^1]);
        Assert.Null(answer.Finish);
    }

    [Fact]
    public async Task T27b_The_same_error_without_a_stream_has_its_status()
    {
        _gateway.Cluster.Script = Scripts.SayThenFail("Half a sen");

        (await _gateway.Chat(TestGateway.Body())).Fails(500, "decode/not-finite");
    }

    [Fact]
    public async Task T27c_A_gap_in_the_tokens_is_an_error_not_an_answer()
    {
        _gateway.Cluster.Script = (run, _) => new[]
        {
            new TokenChunk { Admission = run.Admission },
            new TokenChunk { Index = 0, Tokens = TokenPacking.Pack([300, 301]) },
            new TokenChunk { Index = 3, Tokens = TokenPacking.Pack([302]), Finish = Scripts.Finish(FinishReason.Stop, 4) },
        }.ToAsyncEnumerable();

        StreamedAnswer answer = await _gateway.Stream(TestGateway.Body());

        Assert.Equal("internal_error", answer.Chunks[^1].GetProperty("error").GetProperty("code").GetString());
        Assert.Null(answer.Finish);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task T27d_What_fails_between_admission_and_the_first_token_is_an_ordinary_error(bool stream)
    {
        _gateway.Cluster.Script = Scripts.SayThenFail("");

        Answer answer = await _gateway.Chat(TestGateway.Body(("stream", stream)));

        answer.Fails(500, "decode/not-finite");
    }

    [Theory]
    [InlineData("engine/failed", 500, "internal_error")]
    [InlineData("layer/unheard-of", 500, "internal_error")]
    [InlineData("decode/slow-reader", 500, "decode/slow-reader")]
    [InlineData("memory/wait-expired", 503, "memory/wait-expired")]
    public async Task What_the_engine_says_of_its_failure_is_for_the_log_alone(string engineCode, int status, string code)
    {
        const string Detail = "NullReferenceException: Object reference not set at /src/Secret.cs.";
        _gateway.Cluster.Script = (run, _) => new[]
        {
            new TokenChunk { Admission = run.Admission },
            new TokenChunk { Finish = new FinishFacts { Reason = FinishReason.Error, ErrorCode = engineCode, ErrorMessage = Detail, GeneratedTokens = 0 } },
        }.ToAsyncEnumerable();

        Answer answer = await _gateway.Chat(TestGateway.Body(), ("x-request-id", "req-9"));

        answer.Fails(status, code);
        Assert.DoesNotContain("Exception", answer.Body, StringComparison.Ordinal);
        Assert.DoesNotContain("Secret", answer.Body, StringComparison.Ordinal);
        Assert.True(code != "internal_error" || answer.Body.Contains("req-9", StringComparison.Ordinal));
        Assert.Contains(_gateway.Log.Lines, line => line.Text.Contains(Detail, StringComparison.Ordinal) && line.Text.Contains(engineCode, StringComparison.Ordinal));
    }

    [Fact]
    public async Task T28_A_prompt_that_is_too_long_is_an_ordinary_error_also_with_stream()
    {
        string digits = new('7', Demo.ContextTokens);
        JsonArray messages = [new JsonObject { ["role"] = "user", ["content"] = digits }];

        foreach (bool stream in (bool[])[true, false])
        {
            JsonObject body = TestGateway.Body(("messages", messages.DeepClone()), ("stream", stream));
            Answer answer = await _gateway.Chat(body);
            answer.Fails(400, "context_length_exceeded", "messages");
            Assert.Equal("application/json", answer.Header("content-type"));
        }
        Assert.Empty(_gateway.Cluster.Requests);
    }
}
