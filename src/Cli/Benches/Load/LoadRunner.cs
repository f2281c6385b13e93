using System.Text.Json.Nodes;

namespace Concertina.Cli.Benches.Load;

/// <summary>Runs the sessions of a scenario against a server: one client a session, each with one request at a time.</summary>
internal sealed class LoadRunner(ChatClient client, Scenario scenario, TimeProvider time)
{
    private static readonly TimeSpan SampleEvery = TimeSpan.FromMilliseconds(500);

    private long _start;

    /// <summary>Runs to the last answer.</summary>
    /// <param name="sessions">The sessions.</param>
    /// <param name="cancellation">Ends the run.</param>
    /// <returns>Every turn, and the server's memory over time.</returns>
    public async Task<(IReadOnlyList<TurnResult> Turns, IReadOnlyList<MemorySample> Samples)> Run(
        IReadOnlyList<SessionScript> sessions, CancellationToken cancellation)
    {
        string model = await client.FirstModel(cancellation);
        _start = time.GetTimestamp();
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task<List<MemorySample>> sampling = Sample(ended.Token);
        TurnResult[][] turns = await Task.WhenAll(sessions.Select(session => Converse(session, model, cancellation)));
        await ended.CancelAsync();
        return ([.. turns.SelectMany(session => session).OrderBy(turn => turn.SentSeconds)], await sampling);
    }

    private double Now() => time.GetElapsedTime(_start).TotalSeconds;

    private async Task<TurnResult[]> Converse(SessionScript session, string model, CancellationToken cancellation)
    {
        List<TurnResult> results = [];
        JsonArray messages = session.Read.DeepClone().AsArray();
        await Task.Delay(TimeSpan.FromSeconds(session.StartSeconds), time, cancellation);
        for (int turn = 0; turn < session.Turns.Count; turn++)
        {
            TurnScript script = session.Turns[turn];
            await Task.Delay(TimeSpan.FromSeconds(script.ThinkSeconds), time, cancellation);
            messages.Add(script.Question.DeepClone());
            double sent = Now();
            StreamTimes answer = await client.Stream(Body(model, session.Session, messages), cancellation);
            results.Add(Result((session, turn), answer, (sent, Now())));
            if (answer.Failure is null)
            {
                messages.Add(new JsonObject { ["role"] = "assistant", ["content"] = answer.Text });
            }
            else
            {
                messages.RemoveAt(messages.Count - 1); // the person gives this question up and goes on with the next
            }
        }
        return [.. results];
    }

    private static TurnResult Result((SessionScript Session, int Turn) at, StreamTimes answer, (double Sent, double End) seconds) => new()
    {
        Session = at.Session.Session,
        Turn = at.Turn,
        Document = at.Session.Document,
        SentSeconds = Math.Round(seconds.Sent, 3),
        EndSeconds = Math.Round(seconds.End, 3),
        TtftMs = answer.AtMs.Count > 0 ? Math.Round(answer.AtMs[0], 1) : null,
        ItlMs = answer.AtMs.Count > 1 ? Math.Round(answer.GapsMs.Average(), 2) : null,
        GapsMs = [.. answer.GapsMs],
        Finish = answer.Failure is null ? answer.Finish : null,
        Rung = answer.Rung,
        CachedTokens = answer.CachedTokens,
        PromptTokens = answer.PromptTokens,
        Right = answer.Failure is null && answer.Text.Contains(at.Session.Turns[at.Turn].Value, StringComparison.Ordinal),
        RefusedStatus = answer.RefusedStatus,
        Failure = answer.Failure,
    };

    private JsonObject Body(string model, int session, JsonArray messages) => new()
    {
        ["model"] = model,
        ["session_id"] = $"load-{session}",
        ["messages"] = messages.DeepClone(),
        ["max_tokens"] = scenario.MaxNewTokens,
        ["temperature"] = 0,
    };

    private async Task<List<MemorySample>> Sample(CancellationToken ended)
    {
        List<MemorySample> samples = [];
        try
        {
            while (true)
            {
                samples.Add(MemorySample.Read(await client.Metrics(ended), Now()));
                await Task.Delay(SampleEvery, time, ended);
            }
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            return samples;
        }
    }
}
