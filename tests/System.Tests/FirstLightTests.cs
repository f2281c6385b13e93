using System.Text.Json;
using System.Text.Json.Nodes;

namespace Concertina.System.Tests;

/// <summary>What a new user does first.</summary>
public sealed class FirstLightTests : IAsyncLifetime
{
    private ServerProcess _server = null!;

    public async ValueTask InitializeAsync() => _server = await ServerProcess.Start("--kv-budget", "512MiB");

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public void Serve_prints_the_models_facts_and_a_curl_line_to_paste()
    {
        Assert.Contains("curl", _server.Output, StringComparison.Ordinal);
        Assert.Contains("/v1/chat/completions", _server.Output, StringComparison.Ordinal);
        Assert.Contains("8192", _server.Output.Replace(",", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_streamed_answer_equals_the_whole_one()
    {
        (string, string)[] talk = [("user", "The passkey of Mara is 48213. What is the passkey of Mara?")];

        StreamedAnswer streamed = await Chat.Stream(_server.Client, Chat.Body(40, talk));
        JsonElement whole = await Chat.Complete(_server.Client, Chat.Body(40, talk));

        Assert.Equal("stop", streamed.Finish);
        Assert.Equal(Chat.Text(whole), streamed.Text);
        Assert.Contains("48213", streamed.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_fact_stated_2000_tokens_earlier_is_answered_right()
    {
        RecallDocument document = RecallSet.Read(2048).First();
        int right = 0;
        foreach (RecallQuestion question in document.Questions)
        {
            JsonElement answer = await Chat.Complete(_server.Client, Chat.Body(40, document.Ask(question)));
            right += Chat.Text(answer).Contains(question.Value, StringComparison.Ordinal) ? 1 : 0;
        }
        Assert.InRange(right, document.Questions.Count * 9 / 10, document.Questions.Count);
    }

    [Fact]
    public async Task The_second_turn_of_a_session_reuses_the_units_of_the_first()
    {
        RecallDocument document = RecallSet.Read(1024).First();
        RecallQuestion question = document.Questions[0];
        JsonObject first = Chat.Body(40, document.Ask(question));
        first["session_id"] = "two-turns";
        JsonElement answer = await Chat.Complete(_server.Client, first);
        int prompt = answer.GetProperty("usage").GetProperty("prompt_tokens").GetInt32();

        RecallQuestion next = document.Questions[1];
        JsonObject second = Chat.Body(40, [.. document.Ask(question), ("assistant", Chat.Text(answer)), ("user", next.Text)]);
        second["session_id"] = "two-turns";
        JsonElement follow = await Chat.Complete(_server.Client, second);

        // The whole first prompt is reused, and the answer after it as far as it tokenises the same way again.
        Assert.InRange(Chat.CachedTokens(follow), prompt, follow.GetProperty("usage").GetProperty("prompt_tokens").GetInt32() - 1);
        Assert.Contains(next.Value, Chat.Text(follow), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_public_address_without_keys_is_refused_with_the_line_to_add()
    {
        (int exitCode, string output) = await ServerProcess.RunToEnd("--listen", "http://0.0.0.0:18080");

        Assert.NotEqual(0, exitCode);
        Assert.Contains("KeySha256", output, StringComparison.Ordinal);
    }
}
