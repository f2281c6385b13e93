namespace Concertina.Cli.Benches.Load;

/// <summary>Figures of a run from its turns.</summary>
internal static class LoadSummary
{
    private const double Z95 = 1.959964;

    /// <summary>Puts the result together.</summary>
    /// <param name="scenario">What was run.</param>
    /// <param name="turns">Every turn.</param>
    /// <param name="samples">Memory over time.</param>
    /// <param name="metrics">The server's metrics at the end.</param>
    public static LoadResult Of(Scenario scenario, IReadOnlyList<TurnResult> turns, IReadOnlyList<MemorySample> samples, string? metrics)
    {
        int good = turns.Count(turn => turn.IsGood(scenario.Limits));
        TurnResult[] ended = [.. turns.Where(turn => turn.Finish is not null)];
        double seconds = turns.Max(turn => turn.EndSeconds) - turns.Min(turn => turn.SentSeconds);
        int right = turns.Count(turn => turn.Right);
        return new LoadResult
        {
            Command = "",
            Scenario = scenario,
            Policy = "",
            PolicyNote = "",
            Seconds = Math.Round(seconds, 2),
            Goodput = Math.Round(good / seconds, 4),
            Good = good,
            Completed = ended.Length,
            Failed = turns.Count(turn => turn.Failure is not null && turn.RefusedStatus is null),
            Truncated = ended.Count(turn => turn.Finish == "length"),
            Refused = turns.Count(turn => turn.RefusedStatus is not null),
            Preemptions = (int)MemorySample.Sum(metrics, "vllm:num_preemptions_total"),
            ReclaimSecondsPerGb = SecondsPerGb(metrics),
            Reclaimed = (int)MemorySample.Sum(metrics, "engine_sequences_reclaimed_total"),
            Reflexes = (int)MemorySample.Sum(metrics, "engine_reflexes_total"),
            TranscodedUnits = (long)MemorySample.Sum(metrics, "kv_cache_unit_transcoded_total"),
            PrefilledTokens = (long)MemorySample.Sum(metrics, "vllm:prompt_tokens_total"),
            Recall = Math.Round((double)right / turns.Count, 4),
            RecallCi95 = Wilson(right, turns.Count),
            TtftMs = LoadPercentiles.Of(ended.Where(turn => turn.TtftMs is not null).Select(turn => turn.TtftMs!.Value)),
            ItlMs = LoadPercentiles.Of(ended.SelectMany(turn => turn.GapsMs)),
            EndToEndMs = LoadPercentiles.Of(ended.Select(turn => 1000 * (turn.EndSeconds - turn.SentSeconds))),
            Rungs = ended.GroupBy(turn => turn.Rung ?? "not told").OrderBy(group => group.Key, StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.Count()),
            Turns = turns,
            Samples = samples,
        };
    }

    private static double? SecondsPerGb(string? metrics)
    {
        const double gigabyte = 1e9;
        double reclaimed = MemorySample.Sum(metrics, "kv_cache_memory_reclaimed_bytes_total");
        return reclaimed > 0 ? Math.Round(MemorySample.Sum(metrics, "kv_cache_squeeze_duration_seconds_total") * gigabyte / reclaimed, 2) : null;
    }

    /// <summary>Wilson's 95 % interval of a share.</summary>
    public static double[] Wilson(int hits, int of)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(of, 1);
        double share = (double)hits / of;
        double z2 = Z95 * Z95 / of;
        double middle = share + (z2 / 2);
        double half = Z95 * Math.Sqrt(((share * (1 - share)) + (z2 / 4)) / of);
        return [Math.Round((middle - half) / (1 + z2), 4), Math.Round((middle + half) / (1 + z2), 4)];
    }
}
