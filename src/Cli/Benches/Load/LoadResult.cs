namespace Concertina.Cli.Benches.Load;

/// <summary>What one run of <c>concertina bench serve --scenario</c> found.</summary>
internal sealed record LoadResult
{
    /// <summary>The command line.</summary>
    public required string Command { get; init; }

    /// <summary>Commit of the binary.</summary>
    public string Commit { get; init; } = Machine.Commit;

    /// <summary>Processor, cores, memory.</summary>
    public string Hardware { get; init; } = Machine.Hardware;

    /// <summary>.NET runtime and operating system.</summary>
    public string Runtime { get; init; } = Machine.Runtime;

    /// <summary>The scenario.</summary>
    public required Scenario Scenario { get; init; }

    /// <summary>Policy of the server, or <c>url</c> for a server that was running.</summary>
    public required string Policy { get; init; }

    /// <summary>How the policy was set up.</summary>
    public required string PolicyNote { get; init; }

    /// <summary>KV budget in bytes; null for a server that was running.</summary>
    public long? BudgetBytes { get; init; }

    /// <summary>Seconds from the first request to the last answer.</summary>
    public required double Seconds { get; init; }

    /// <summary>Turns a second that ended well within the limits.</summary>
    public required double Goodput { get; init; }

    /// <summary>Turns that ended well within the limits.</summary>
    public required int Good { get; init; }

    /// <summary>Turns that ended well.</summary>
    public required int Completed { get; init; }

    /// <summary>Turns whose stream ended with an error, or broke.</summary>
    public required int Failed { get; init; }

    /// <summary>Turns that ended by their length before the answer was complete.</summary>
    public required int Truncated { get; init; }

    /// <summary>Turns that were refused before their first byte.</summary>
    public required int Refused { get; init; }

    /// <summary>Streams that lost units while they ran and computed them again, by the server's count.</summary>
    public required int Preemptions { get; init; }

    /// <summary>Seconds of squeezing for each 10^9 bytes that it set free; null: none.</summary>
    public double? ReclaimSecondsPerGb { get; set; }

    /// <summary>Conversations that were idle and lost their units, by the server's count.</summary>
    public required int Reclaimed { get; init; }

    /// <summary>Times the server squeezed live sessions by itself.</summary>
    public required int Reflexes { get; init; }

    /// <summary>Units it moved to deeper rungs.</summary>
    public required long TranscodedUnits { get; init; }

    /// <summary>Prompt tokens it computed.</summary>
    public required long PrefilledTokens { get; init; }

    /// <summary>Share of all questions answered rightly; those refused or failed are not.</summary>
    public required double Recall { get; init; }

    /// <summary>Wilson's 95 % interval of it.</summary>
    public required double[] RecallCi95 { get; init; }

    /// <summary>Request to first text, milliseconds.</summary>
    public LoadPercentiles? TtftMs { get; set; }

    /// <summary>Gaps between neighbouring pieces of text of all turns, milliseconds.</summary>
    public LoadPercentiles? ItlMs { get; set; }

    /// <summary>Request to last text, milliseconds.</summary>
    public LoadPercentiles? EndToEndMs { get; set; }

    /// <summary>Completed turns by the deepest rung they ran on.</summary>
    public required IReadOnlyDictionary<string, int> Rungs { get; init; }

    /// <summary>Every turn.</summary>
    public required IReadOnlyList<TurnResult> Turns { get; init; }

    /// <summary>The server's memory over time.</summary>
    public required IReadOnlyList<MemorySample> Samples { get; init; }
}

/// <summary>Percentiles, nearest rank.</summary>
internal sealed record LoadPercentiles(double P50, double P90, double P99)
{
    /// <summary>Of measured values; null when there are none.</summary>
    public static LoadPercentiles? Of(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        double Rank(double share) => Math.Round(sorted[Math.Max(0, (int)Math.Ceiling(share * sorted.Length) - 1)], 1);
        return sorted.Length == 0 ? null : new LoadPercentiles(Rank(0.5), Rank(0.9), Rank(0.99));
    }
}
