using System.Text.Json;
using System.Text.Json.Nodes;
using Concertina.Contracts.Sessions;
using Concertina.Contracts.Tenants;
using Concertina.Gateway.Tests.Kit;
using Microsoft.Extensions.Time.Testing;

namespace Concertina.Gateway.Tests;

/// <summary>Contract tests 16 to 26: the order of events, silence and leaving.</summary>
public sealed class StreamTests : IAsyncLifetime
{
    private TestGateway _gateway = null!;

    public async ValueTask InitializeAsync() => _gateway = await TestGateway.Start();

    public ValueTask DisposeAsync() => _gateway.DisposeAsync();

    [Fact]
    public async Task T16_Role_chunk_comes_first_and_once()
    {
        StreamedAnswer answer = await _gateway.Stream(TestGateway.Body());

        JsonElement[] roles = [.. answer.Choices.Where(choice => choice.GetProperty("delta").TryGetProperty("role", out _))];
        JsonElement role = Assert.Single(roles);
        Assert.Equal(role, answer.Choices.First());
        Assert.Equal("assistant", role.GetProperty("delta").GetProperty("role").GetString());
        Assert.Equal("", role.GetProperty("delta").GetProperty("content").GetString());
        Assert.Equal(JsonValueKind.Null, role.GetProperty("finish_reason").ValueKind);
    }

    [Fact]
    public async Task T17_Id_created_model_and_fingerprint_are_the_same_in_all_chunks()
    {
        StreamedAnswer answer = await _gateway.Stream(TestGateway.Body(("stream_options", new JsonObject { ["include_usage"] = true })));

        foreach (string member in (string[])["id", "created", "model", "object", "system_fingerprint"])
        {
            Assert.Single(answer.Chunks.Select(chunk => chunk.GetProperty(member).ToString()).Distinct());
        }
        Assert.Equal("chat.completion.chunk", answer.Chunks[0].GetProperty("object").GetString());
    }

    [Fact]
    public async Task T18_One_chunk_carries_the_finish_reason()
    {
        StreamedAnswer answer = await _gateway.Stream(TestGateway.Body());

        Assert.Single(answer.Choices, choice => choice.GetProperty("finish_reason").ValueKind == JsonValueKind.String);
    }

    [Fact]
    public async Task T19_Only_usage_and_DONE_follow_the_finish()
    {
        StreamedAnswer answer = await _gateway.Stream(TestGateway.Body(("stream_options", new JsonObject { ["include_usage"] = true })));

        int finish = answer.Events.ToList().FindIndex(data => data.Contains("\"finish_reason\":\"stop\"", StringComparison.Ordinal));
        Assert.Equal(answer.Events.Count - 3, finish);
        Assert.Contains("\"usage\":{", answer.Events[finish + 1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task T20_DONE_is_last()
    {
        StreamedAnswer answer = await _gateway.Stream(TestGateway.Body());

        Assert.Equal("[DONE]", answer.Events[^1]);
        Assert.Single(answer.Events, data => data == "[DONE]");
        Assert.EndsWith("data: [DONE]\n\n", answer.Raw, StringComparison.Ordinal);
    }

    [Fact]
    public async Task T21_Usage_comes_in_a_chunk_without_choices_when_asked()
    {
        StreamedAnswer answer = await _gateway.Stream(TestGateway.Body(("stream_options", new JsonObject { ["include_usage"] = true })));

        JsonElement last = answer.Chunks[^1];
        Assert.Equal(0, last.GetProperty("choices").GetArrayLength());
        JsonElement usage = last.GetProperty("usage");
        Assert.Equal(Demo.Tokens("Hello there, friend.").Length + 1, usage.GetProperty("completion_tokens").GetInt32());
        Assert.True(usage.GetProperty("prompt_tokens_details").TryGetProperty("cached_tokens", out _));
        Assert.Equal("f16", usage.GetProperty("kv").GetProperty("rung").GetString());
    }

    [Fact]
    public async Task T22_No_usage_unless_asked()
    {
        StreamedAnswer answer = await _gateway.Stream(TestGateway.Body());

        Assert.DoesNotContain("usage", answer.Raw, StringComparison.Ordinal);
    }

    [Fact]
    public async Task T23_Stream_options_without_stream_are_refused() =>
        (await _gateway.Chat(TestGateway.Body(("stream_options", new JsonObject { ["include_usage"] = true }))))
            .Fails(400, "invalid_value", "stream_options");

    [Fact]
    public async Task T24_Deltas_add_up_to_the_whole_answer()
    {
        _gateway.Cluster.Script = Scripts.Babble();

        Answer whole = await _gateway.Chat(TestGateway.Body(("temperature", 0)));
        StreamedAnswer streamed = await _gateway.Stream(TestGateway.Body(("temperature", 0)));

        Assert.Equal(whole.Text, streamed.Text);
        Assert.True(streamed.Pieces.Count() > 5);
    }

    [Fact]
    public async Task T25_Silence_is_filled_with_comments_that_parsers_ignore()
    {
        // Given a generation that says something, is silent, and goes on when told
        FakeTimeProvider time = new();
        FakeCluster cluster = new();
        TaskCompletionSource goOn = new(TaskCreationOptions.RunContinuationsAsynchronously);
        cluster.Script = (run, _) => Paused(run, goOn.Task);
        await using TestGateway gateway = await TestGateway.Start(cluster, time);
        JsonObject body = TestGateway.Body(("stream", true));
        using HttpRequestMessage request = TestGateway.Request(body);
        using HttpResponseMessage response = await gateway.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using StreamReader reader = new(await response.Content.ReadAsStreamAsync());
        await ReadUntil(reader, line => line.Contains("Hello", StringComparison.Ordinal));

        // When ten seconds pass without a token
        Task<string> comment = ReadUntil(reader, line => line.StartsWith(':'));
        await AdvanceUntil(time, TimeSpan.FromSeconds(10), comment);

        // Then a comment came, and the answer goes on as if nothing had been
        goOn.SetResult();
        Assert.Equal(": keep-alive", await comment);
        await ReadUntil(reader, line => line == "data: [DONE]");
    }

    [Fact]
    public async Task T25b_A_long_wait_for_the_first_token_opens_the_stream_with_a_comment()
    {
        FakeTimeProvider time = new();
        FakeCluster cluster = new();
        TaskCompletionSource goOn = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Script say = Scripts.Say("At last.");
        cluster.Script = (run, cancellation) => After(goOn.Task, say(run, cancellation));
        await using TestGateway gateway = await TestGateway.Start(cluster, time);
        using HttpRequestMessage request = TestGateway.Request(TestGateway.Body(("stream", true)));

        // When the first token takes longer than ten seconds, the headers come with a comment
        Task<HttpResponseMessage> opening = gateway.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        await AdvanceUntil(time, TimeSpan.FromSeconds(10), opening);
        goOn.SetResult();

        using HttpResponseMessage response = await opening;
        StreamedAnswer answer = await StreamedAnswer.Of(response);
        Assert.StartsWith(": keep-alive\n\n", answer.Raw, StringComparison.Ordinal);
        Assert.Equal("At last.", answer.Text);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task T26_Leaving_cancels_the_generation_and_settles_what_was_made(bool throughProxy)
    {
        // Given an endless stream, directly or through one more hop
        _gateway.Cluster.Script = Scripts.SayThenHang("Once upon a time");
        await using Relay relay = Relay.To(_gateway.Address);
        using HttpClient client = new() { BaseAddress = throughProxy ? relay.Address : _gateway.Address, Timeout = Signals.Guard };
        using (HttpRequestMessage request = TestGateway.Request(TestGateway.Body(("stream", true))))
        {
            HttpResponseMessage response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            StreamReader reader = new(await response.Content.ReadAsStreamAsync());
            await ReadUntil(reader, line => line.Contains("Once", StringComparison.Ordinal));

            // When the client closes its connection
            response.Dispose();
        }

        // Then the generation is cancelled and its tokens are charged
        await _gateway.Cluster.Cancelled.Wait("any");
        await _gateway.Cluster.SettledIds.Wait("any");
        UsageRecord used = Assert.Single(_gateway.Cluster.Settled);
        Assert.Equal(Demo.Tokens("Once upon a time").Length, used.GeneratedTokens);
        Assert.Equal(_gateway.Cluster.Requests.Single().PromptTokens, used.PromptTokens);
    }

    [Fact]
    public async Task T26b_Leaving_a_request_that_does_not_stream_cancels_it_too()
    {
        _gateway.Cluster.Script = Scripts.SayThenHang("Once");
        using CancellationTokenSource leave = new();
        Task<Answer> asking = Task.Run(async () =>
        {
            using HttpRequestMessage request = TestGateway.Request(TestGateway.Body());
            using HttpResponseMessage response = await _gateway.Client.SendAsync(request, leave.Token);
            return await Answer.Of(response);
        });
        await _gateway.Cluster.Started.Wait("any");

        await leave.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
        await _gateway.Cluster.Cancelled.Wait("any");
        await _gateway.Cluster.SettledIds.Wait("any");
    }

    private static async IAsyncEnumerable<TokenChunk> Paused(ScriptRun run, Task goOn)
    {
        int[] tokens = Demo.Tokens("Hello");
        yield return new TokenChunk { Admission = run.Admission, Tokens = TokenPacking.Pack(tokens) };
        await goOn;
        yield return new TokenChunk { Index = tokens.Length, Finish = Scripts.Finish(FinishReason.Length, tokens.Length) };
    }

    private static async IAsyncEnumerable<TokenChunk> After(Task goOn, IAsyncEnumerable<TokenChunk> chunks)
    {
        await goOn;
        await foreach (TokenChunk chunk in chunks)
        {
            yield return chunk;
        }
    }

    /// <summary>The timer may not be set yet when the clock is moved, so the clock is moved until it counts.</summary>
    private static async Task AdvanceUntil(FakeTimeProvider time, TimeSpan step, Task done)
    {
        using CancellationTokenSource guard = new(Signals.Guard);
        while (!done.IsCompleted)
        {
            Assert.False(guard.IsCancellationRequested, "Nothing came, however far the clock was moved.");
            time.Advance(step);
            await Task.Yield();
        }
    }

    private static async Task<string> ReadUntil(StreamReader reader, Func<string, bool> found)
    {
        using CancellationTokenSource guard = new(Signals.Guard);
        while (await reader.ReadLineAsync(guard.Token) is { } line)
        {
            if (found(line))
            {
                return line;
            }
        }
        throw new InvalidDataException("The stream ended before the line came.");
    }
}
