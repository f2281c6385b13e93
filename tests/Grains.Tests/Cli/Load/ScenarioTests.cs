using System.Text.Json.Nodes;
using Concertina.Cli;
using Concertina.Cli.Benches.Load;
using Concertina.Cli.Recall;
using Concertina.Compute.KvCache;

namespace Concertina.Grains.Tests.Cli.Load;

public sealed class ScenarioTests
{
    private const string Good = """
        {
          "name": "n", "demand": 2, "sessions": 8, "contextTokens": 1000, "turns": 3,
          "arrivals": { "kind": "poisson", "perSecond": 2 }, "limits": { "ttftMs": 1000, "itlMs": 100 }
        }
        """;

    [Fact]
    public void A_scenario_is_read_with_its_defaults()
    {
        using TemporaryFolder folder = new();
        Scenario scenario = Read(folder, Good);

        Assert.Equal((1, 24, 10.0, 0.0), (scenario.Seed, scenario.MaxNewTokens, scenario.ThinkSeconds, scenario.SharedPrefix));
        Assert.Equal(("poisson", 2.0, 1), (scenario.Arrivals.Kind, scenario.Arrivals.PerSecond, scenario.Arrivals.Size));
    }

    [Theory]
    [InlineData("\"demand\": 2", "\"demand\": 0", "demand")]
    [InlineData("\"sessions\": 8", "\"sessions\": -1", "sessions")]
    [InlineData("\"turns\": 3", "\"turns\": 3, \"turnss\": 4", "turnss")]
    [InlineData("\"kind\": \"poisson\"", "\"kind\": \"often\"", "arrivals.kind")]
    [InlineData("\"ttftMs\": 1000,", "", "ttftMs")]
    [InlineData("\"itlMs\": 100", "\"itlMs\": 0", "limits.itlMs")]
    public void What_is_wrong_in_a_scenario_is_named(string before, string after, string named)
    {
        using TemporaryFolder folder = new();
        Assert.Contains(before, Good, StringComparison.Ordinal);

        CliException problem = Assert.Throws<CliException>(() => Read(folder, Good.Replace(before, after, StringComparison.Ordinal)));

        Assert.Contains(named, problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_same_seed_draws_the_same_load_and_another_seed_another()
    {
        using TemporaryFolder folder = new();
        Scenario scenario = Read(folder, Good);

        Assert.Equal(Text(SessionScript.Draw(scenario, Documents(8, 5))), Text(SessionScript.Draw(scenario, Documents(8, 5))));
        Assert.NotEqual(Text(SessionScript.Draw(scenario, Documents(8, 5))), Text(SessionScript.Draw(scenario with { Seed = 2 }, Documents(8, 5))));
    }

    [Fact]
    public void Sessions_come_at_the_rate_and_think_as_long_as_the_scenario_says()
    {
        using TemporaryFolder folder = new();
        Scenario scenario = Read(folder, Good) with { Sessions = 2000, SharedPrefix = 0.996 };

        IReadOnlyList<SessionScript> sessions = SessionScript.Draw(scenario, Documents(8, 5));

        Assert.InRange(sessions[^1].StartSeconds, 0.9 * 1000, 1.1 * 1000);
        Assert.InRange(sessions.SelectMany(session => session.Turns.Skip(1)).Average(turn => turn.ThinkSeconds), 9, 11);
        Assert.All(sessions, session => Assert.Equal(0, session.Turns[0].ThinkSeconds));
    }

    [Fact]
    public void Bursts_come_together_and_shared_prefixes_are_of_documents_of_others()
    {
        using TemporaryFolder folder = new();
        Scenario scenario = Read(folder, Good.Replace("\"kind\": \"poisson\", \"perSecond\": 2", "\"kind\": \"burst\", \"size\": 4, \"everySeconds\": 5", StringComparison.Ordinal));

        IReadOnlyList<SessionScript> apart = SessionScript.Draw(scenario, Documents(8, 5));
        IReadOnlyList<SessionScript> shared = SessionScript.Draw(scenario with { SharedPrefix = 0.5 }, Documents(8, 5));

        Assert.Equal([0, 0, 0, 0, 5, 5, 5, 5], apart.Select(session => session.StartSeconds));
        Assert.Equal(8, apart.Select(session => session.Document).Distinct().Count());
        Assert.Equal(4, shared.Select(session => session.Document).Distinct().Count());
    }

    [Fact]
    public void Too_few_documents_or_questions_are_refused_with_the_numbers()
    {
        using TemporaryFolder folder = new();
        Scenario scenario = Read(folder, Good);

        Assert.Contains("needs 8 documents", Assert.Throws<CliException>(() => SessionScript.Draw(scenario, Documents(7, 5))).Message, StringComparison.Ordinal);
        Assert.Contains("with 2", Assert.Throws<CliException>(() => SessionScript.Draw(scenario, Documents(8, 2))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_budget_is_the_lossless_bytes_of_all_sessions_over_the_demand()
    {
        using TemporaryFolder folder = new();
        Scenario scenario = Read(folder, Good);

        // 2 layers x 2 heads x 16 channels x 2 sides x 2 bytes are 256 bytes a token.
        Assert.Equal(256 * 1000 * 8 / 2, LoadCommand.Budget(new KvShape(2, 2, 1, 16), scenario));
    }

    [Fact]
    public void Policies_are_found_by_name_and_an_unknown_one_is_told_the_known()
    {
        Assert.All(LoadPolicy.All, policy => Assert.Same(policy, LoadPolicy.Of(policy.Name)));
        Assert.Contains("elastic, refuse, recompute", Assert.Throws<CliException>(() => LoadPolicy.Of("evict")).Message, StringComparison.Ordinal);
        Assert.Empty(LoadPolicy.Elastic.Settings);
    }

    private static Scenario Read(TemporaryFolder folder, string text)
    {
        string file = folder.File("s.json");
        File.WriteAllText(file, text);
        return Scenario.Read(file);
    }

    private static RecallQuestion[][] Documents(int count, int questions) =>
    [
        .. Enumerable.Range(0, count).Select(document => Enumerable.Range(0, questions).Select(question => new RecallQuestion(
            [Message("user", $"document {document}"), Message("assistant", "read"), Message("user", $"question {question}")], $"{question}")).ToArray()),
    ];

    private static JsonObject Message(string role, string content) => new() { ["role"] = role, ["content"] = content };

    private static string Text(IReadOnlyList<SessionScript> sessions) => string.Join('\n', sessions.Select(session =>
        $"{session.StartSeconds} {session.Document} {session.Read.ToJsonString()} {string.Join(' ', session.Turns.Select(turn => $"{turn.ThinkSeconds} {turn.Question.ToJsonString()} {turn.Value}"))}"));
}
