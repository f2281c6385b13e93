using Concertina.Cli.Benches;

namespace Concertina.Cli.Recall;

/// <summary>Answers to the recall questions, by length.</summary>
internal sealed record RecallResult
{
    /// <summary>The command line.</summary>
    public required string Command { get; init; }

    /// <summary>Commit of the client's binary.</summary>
    public string Commit { get; init; } = Machine.Commit;

    /// <summary>Processor, cores, memory of the client.</summary>
    public string Hardware { get; init; } = Machine.Hardware;

    /// <summary>.NET runtime and operating system of the client.</summary>
    public string Runtime { get; init; } = Machine.Runtime;

    /// <summary>Served model.</summary>
    public required string Model { get; init; }

    /// <summary>One entry per length.</summary>
    public required IReadOnlyList<LengthResult> Lengths { get; init; }

    /// <summary>Answers at one length.</summary>
    /// <param name="Length">Nominal length in tokens.</param>
    /// <param name="Questions">Questions asked.</param>
    /// <param name="Right">Answers that contain the value.</param>
    /// <param name="Percent">Share of right answers.</param>
    /// <param name="CachedShare">Share of prompt tokens whose KV was reused.</param>
    internal sealed record LengthResult(int Length, int Questions, int Right, double Percent, double CachedShare);
}
