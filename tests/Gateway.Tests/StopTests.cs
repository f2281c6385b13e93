using System.Text.Json.Nodes;
using Concertina.Contracts.Sessions;
using Concertina.Gateway.Tests.Kit;

namespace Concertina.Gateway.Tests;

/// <summary>Contract tests 29 to 40: where an answer ends.</summary>
public sealed class StopTests : IAsyncLifetime
{
    private const string Text = "One apple, two pears, three plums.";
    private TestGateway _gateway = null!;

    public async ValueTask InitializeAsync()
    {
        _gateway = await TestGateway.Start();
        _gateway.Cluster.Script = Scripts.Say(Text);
    }

    public ValueTask DisposeAsync() => _gateway.DisposeAsync();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task T29_A_stop_string_inside_one_token_ends_the_answer(bool stream)
    {
        // Given a stop string that is a part of one token
        string token = Demo.Tokens(Text).Select(id => Demo.Tokenizer.Decode([id], skipSpecial: true)).First(text => text.Length > 4);
        string stop = token[2..4];

        await Stops(stream, stop, Text[..Text.IndexOf(stop, StringComparison.Ordinal)]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task T30_A_stop_string_across_tokens_ends_the_answer(bool stream)
    {
        string first = Demo.Tokenizer.Decode([.. Demo.Tokens(Text).Take(3)], skipSpecial: true);
        string stop = Text.Substring(first.Length - 1, 3);

        await Stops(stream, stop, Text[..Text.IndexOf(stop, StringComparison.Ordinal)]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(50)]
    public async Task T31_A_stop_string_across_chunks_ends_the_answer(int tokensPerChunk)
    {
        _gateway.Cluster.Script = Scripts.Say(Text, tokensPerChunk);

        await Stops(stream: true, ", two pears,", "One apple");
        await Stops(stream: false, ", two pears,", "One apple");
    }

    [Fact]
    public async Task T32_No_part_of_a_stop_string_is_shown_and_what_only_looked_like_one_is()
    {
        StreamedAnswer answer = await _gateway.Stream(TestGateway.Body(("stop", new JsonArray("pears, four", "three plums."))));

        Assert.Equal("One apple, two pears, ", answer.Text);
        Assert.Equal("stop", answer.Finish);
        Assert.DoesNotContain(answer.Pieces, piece => piece.Contains('t', StringComparison.Ordinal) && piece.Contains("thr", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task T33_The_stop_string_is_kept_when_asked(bool stream)
    {
        JsonObject body = TestGateway.Body(("stop", "two"), ("include_stop_str_in_output", true));

        Assert.Equal("One apple, two", stream ? (await _gateway.Stream(body)).Text : (await _gateway.Chat(body)).Text);
    }

    [Fact]
    public async Task T34_Of_several_stop_strings_the_one_complete_first_wins()
    {
        Answer answer = await _gateway.Chat(TestGateway.Body(("stop", new JsonArray("plums", "pears", "two"))));

        Assert.Equal("One apple, ", answer.Text);
        Assert.Equal("two", answer.Json.GetProperty("choices")[0].GetProperty("stop_reason").GetString());
    }

    [Fact]
    public async Task T34b_What_the_engine_made_beyond_the_stop_is_cut_and_not_charged()
    {
        Answer answer = await _gateway.Chat(TestGateway.Body(("stop", ", two")));

        GenerateRequest request = _gateway.Cluster.Requests.Single();
        FakeSequence sequence = _gateway.Cluster.Sequence(Assert.Single(_gateway.Cluster.SequenceKeys));
        int kept = sequence.Kept[request.RequestId];
        Assert.Equal("One apple", Demo.Tokenizer.Decode([.. Demo.Tokens(Text).Take(kept)], skipSpecial: true));
        int completion = answer.Usage.GetProperty("completion_tokens").GetInt32();
        Assert.InRange(completion, kept + 1, Demo.Tokens(Text).Length - 1);
        Assert.Equal(completion, Assert.Single(_gateway.Cluster.Settled).GeneratedTokens);
    }

    [Theory]
    [InlineData("\"\"")]
    [InlineData("[\"a\",\"\"]")]
    [InlineData("[1]")]
    [InlineData("{}")]
    public async Task T35_An_empty_or_malformed_stop_is_refused(string stop) =>
        (await _gateway.Chat(TestGateway.Body(("stop", JsonNode.Parse(stop))))).Fails(400, "invalid_value", "stop");

    [Fact]
    public async Task T36_A_stop_token_ends_the_answer_without_its_text()
    {
        int[] tokens = Demo.Tokens(Text);
        int stop = tokens.First(id => Demo.Tokenizer.Decode([id], skipSpecial: true).Contains(',', StringComparison.Ordinal));

        Answer answer = await _gateway.Chat(TestGateway.Body(("stop_token_ids", new JsonArray(stop))));

        Assert.Equal("One apple", answer.Text);
        Assert.Equal("stop", answer.Finish);
        (await _gateway.Chat(TestGateway.Body(("stop_token_ids", new JsonArray(-1))))).Fails(400, "invalid_value", "stop_token_ids");
        (await _gateway.Chat(TestGateway.Body(("stop_token_ids", new JsonArray(Demo.Tokenizer.VocabularySize))))).Fails(400, "invalid_value", "stop_token_ids");
    }

    [Theory]
    [InlineData("max_tokens")]
    [InlineData("max_completion_tokens")]
    public async Task T37_One_token_at_most_ends_with_length(string field)
    {
        Answer answer = await _gateway.Chat(TestGateway.Body((field, 1)));

        Assert.Equal("length", answer.Finish);
        Assert.Equal(1, answer.Usage.GetProperty("completion_tokens").GetInt32());
        Assert.Equal("length", (await _gateway.Stream(TestGateway.Body((field, 1)))).Finish);
    }

    [Fact]
    public async Task T38_A_huge_limit_is_capped_at_the_context()
    {
        Answer answer = await _gateway.Chat(TestGateway.Body(("max_tokens", 1_000_000_000_000)));

        Assert.Equal(200, answer.Status);
        GenerateRequest request = _gateway.Cluster.Requests.Single();
        Assert.Equal(Demo.ContextTokens - request.PromptTokens, request.MaxNewTokens);
        (await _gateway.Chat(TestGateway.Body(("max_tokens", 1_000_000)), ("x-strict-max-tokens", "true"))).Fails(400, "context_length_exceeded", "messages");
    }

    [Theory]
    [InlineData(8_191)]
    [InlineData(2_000_000)]
    public async Task T39_A_prompt_too_long_names_the_context_length(int digits)
    {
        JsonArray messages = [new JsonObject { ["role"] = "user", ["content"] = new string('1', digits) }];

        Answer answer = await _gateway.Chat(TestGateway.Body(("messages", messages)));

        answer.Fails(400, "context_length_exceeded", "messages");
        Assert.Contains("maximum context length is 8192 tokens", answer.Error.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Empty(_gateway.Cluster.Tenant("default").Reserved);
    }

    [Fact]
    public async Task T40_The_end_of_the_turn_stops_unless_it_is_ignored()
    {
        Assert.Equal("stop", (await _gateway.Chat(TestGateway.Body())).Finish);
        Assert.Contains(Demo.EndOfTurn, _gateway.Cluster.Requests.Last().StopTokens);

        Assert.Equal("length", (await _gateway.Chat(TestGateway.Body(("ignore_eos", true)))).Finish);
        Assert.Empty(_gateway.Cluster.Requests.Last().StopTokens);
    }

    private async Task Stops(bool stream, string stop, string expected)
    {
        JsonObject body = TestGateway.Body(("stop", stop));
        (string text, string? finish) = stream
            ? await _gateway.Stream(body) is var streamed ? (streamed.Text, streamed.Finish) : default
            : await _gateway.Chat(body) is var whole ? (whole.Text, whole.Finish) : default;
        Assert.Equal(expected, text);
        Assert.Equal("stop", finish);
    }
}
