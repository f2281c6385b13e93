using System.Text.Json.Nodes;
using Concertina.Cli.Recall;

namespace Concertina.Cli.Benches.Load;

/// <summary>One session: when it begins, what it has read, what it asks, and how long it thinks before each question.</summary>
/// <param name="Session">Number of the session.</param>
/// <param name="StartSeconds">Seconds from the start of the run.</param>
/// <param name="Document">Number of its document.</param>
/// <param name="Read">The conversation before the first question.</param>
/// <param name="Turns">Questions, in order.</param>
internal sealed record SessionScript(int Session, double StartSeconds, int Document, JsonArray Read, IReadOnlyList<TurnScript> Turns)
{
    /// <summary>Draws the sessions of a scenario.</summary>
    /// <param name="scenario">The scenario.</param>
    /// <param name="documents">Documents with their questions.</param>
    /// <exception cref="CliException">There are too few documents, or too few questions about one.</exception>
    public static IReadOnlyList<SessionScript> Draw(Scenario scenario, IReadOnlyList<IReadOnlyList<RecallQuestion>> documents)
    {
        var random = new Random(scenario.Seed);
        int own = scenario.Sessions - (int)Math.Floor(scenario.Sessions * scenario.SharedPrefix);
        if (own > documents.Count || documents.Min(questions => questions.Count) < scenario.Turns)
        {
            throw new CliException(ExitCode.Usage,
                $"The scenario needs {own} documents with {scenario.Turns} questions; the recall set of {scenario.ContextTokens} tokens has {documents.Count}, the least of them with {documents.Min(questions => questions.Count)}.");
        }
        List<SessionScript> sessions = [];
        double start = 0;
        for (int session = 0; session < scenario.Sessions; session++)
        {
            start = Next(scenario.Arrivals, session, start, random);
            int document = session < own ? session : random.Next(own);
            int first = random.Next(documents[document].Count - scenario.Turns + 1);
            RecallQuestion[] asked = [.. documents[document].Skip(first).Take(scenario.Turns)];
            sessions.Add(new SessionScript(
                session, start, document, Before(asked[0].Messages),
                [.. asked.Select((question, turn) => new TurnScript(
                    turn == 0 ? 0 : Exponential(scenario.ThinkSeconds, random), (JsonObject)question.Messages[^1]!.DeepClone(), question.Value))]));
        }
        return sessions;
    }

    private static double Next(ArrivalRule rule, int session, double before, Random random) => rule.Kind == "burst"
        ? session / rule.Size * rule.EverySeconds
        : before + Exponential(1 / rule.PerSecond, random);

    private static double Exponential(double mean, Random random) => -mean * Math.Log(1 - random.NextDouble());

    private static JsonArray Before(JsonArray messages) => [.. messages.Take(messages.Count - 1).Select(message => message!.DeepClone())];
}

/// <summary>One question.</summary>
/// <param name="ThinkSeconds">Seconds after the answer before.</param>
/// <param name="Question">Its message.</param>
/// <param name="Value">What a right answer contains.</param>
internal sealed record TurnScript(double ThinkSeconds, JsonObject Question, string Value);
