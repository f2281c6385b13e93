using System.Globalization;
using Concertina.Cli.Evaluation;
using Concertina.Cli.Recall;
using Concertina.Compute.KvCache;
using Concertina.Compute.Model;

namespace Concertina.Cli.Benches.Load;

/// <summary>What <c>concertina bench serve --scenario</c> was asked.</summary>
internal sealed record LoadOrder
{
    /// <summary>Scenario file.</summary>
    public required string Scenario { get; init; }

    /// <summary>Policy of the server that is started.</summary>
    public required string Policy { get; init; }

    /// <summary>A server that runs already; null: one is started.</summary>
    public Uri? Url { get; init; }

    /// <summary>API key.</summary>
    public string? Key { get; init; }

    /// <summary>Model of the server that is started.</summary>
    public required string Model { get; init; }

    /// <summary>Folder with recall_&lt;length&gt;.jsonl.</summary>
    public required string RecallSet { get; init; }

    /// <summary>File for the result.</summary>
    public string? Json { get; init; }

    /// <summary>File for the picture.</summary>
    public string? Svg { get; init; }
}

/// <summary><c>concertina bench serve --scenario</c>: conversations with think time against a server, and what became of them.</summary>
internal static class LoadCommand
{
    /// <summary>Runs a scenario.</summary>
    /// <exception cref="CliException">The scenario, the recall set or the model cannot be used, or the server does not start.</exception>
    public static async Task<int> Run(LoadOrder order, CancellationToken cancellation)
    {
        Scenario scenario = Scenario.Read(order.Scenario);
        IReadOnlyList<SessionScript> sessions = SessionScript.Draw(scenario, RecallSet.Documents(order.RecallSet, scenario.ContextTokens));
        LoadPolicy policy = LoadPolicy.Of(order.Policy);
        LoadResult result;
        if (order.Url is { } url)
        {
            result = await Measure(url, order.Key, (scenario, sessions), cancellation) with { Policy = "url", PolicyNote = "a server that was running" };
        }
        else
        {
            long budget = Budget(order.Model, scenario);
            await using LoadServer server = await LoadServer.Start(order.Model, budget, policy, cancellation);
            result = await Measure(server.Url, null, (scenario, sessions), cancellation) with
            {
                Policy = policy.Name,
                PolicyNote = policy.Why,
                BudgetBytes = budget,
            };
        }
        result = result with { Command = CommandLineText.Of(Environment.GetCommandLineArgs()) };
        Print(result);
        ResultFile.Write(order.Json, result, ResultJson.Default.LoadResult);
        if (order.Svg is { } svg)
        {
            await File.WriteAllTextAsync(svg, LoadPlot.Of(result), cancellation);
            Screen.Line($"written to {svg}");
        }
        return result.Failed > 0 ? ExitCode.Failure : ExitCode.Success;
    }

    /// <summary>The KV budget that makes the lossless bytes of all sessions the scenario's multiple of it.</summary>
    public static long Budget(KvShape shape, Scenario scenario)
    {
        long tokenBytes = 2L * shape.HeadCount * shape.HeadDim * sizeof(ushort);
        return (long)(tokenBytes * scenario.ContextTokens * scenario.Sessions / scenario.Demand);
    }

    private static long Budget(string model, Scenario scenario)
    {
        try
        {
            using var file = ModelFile.Open(model);
            return Budget(file.Config.ToKvShape(), scenario);
        }
        catch (ModelFileException problem)
        {
            throw new CliException(ExitCode.Model, problem.Message);
        }
    }

    private static async Task<LoadResult> Measure(
        Uri url, string? key, (Scenario Scenario, IReadOnlyList<SessionScript> Sessions) load, CancellationToken cancellation)
    {
        using ChatClient client = new(url, key, TimeProvider.System);
        (IReadOnlyList<TurnResult> turns, IReadOnlyList<MemorySample> samples) =
            await new LoadRunner(client, load.Scenario, TimeProvider.System).Run(load.Sessions, cancellation);
        return LoadSummary.Of(load.Scenario, turns, samples, await client.Metrics(cancellation));
    }

    private static void Print(LoadResult result)
    {
        foreach (IGrouping<string, TurnResult> group in result.Turns.Where(turn => turn.Failure is not null).GroupBy(turn => turn.Failure!))
        {
            Screen.Error($"{group.Count()} turns: {group.Key}");
        }
        Screen.Line(string.Create(CultureInfo.InvariantCulture,
            $"{result.Scenario.Name}, {result.Policy}: {result.Good} of {result.Turns.Count} turns good in {result.Seconds:F0} s ({result.Goodput:F3}/s); {result.Completed} completed, {result.Failed} failed, {result.Refused} refused, {result.Truncated} truncated"));
        Screen.Line(string.Create(CultureInfo.InvariantCulture,
            $"recall {100 * result.Recall:F1} % ({100 * result.RecallCi95[0]:F1} to {100 * result.RecallCi95[1]:F1}); first text {result.TtftMs?.P50:F0} / {result.TtftMs?.P90:F0} / {result.TtftMs?.P99:F0} ms, between {result.ItlMs?.P50:F1} / {result.ItlMs?.P90:F1} ms; prefilled {result.PrefilledTokens:N0} tokens, {result.Reclaimed} conversations dropped, {result.Reflexes} reflexes"));
        Screen.Line("rungs: " + string.Join(", ", result.Rungs.Select(rung => $"{rung.Key} {rung.Value}")));
    }
}
