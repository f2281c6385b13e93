using Concertina.Cli.Benches;
using Concertina.Compute.Evaluation;

namespace Concertina.Cli.Evaluation;

/// <summary>What <c>concertina eval</c> found.</summary>
internal sealed record EvaluationResult
{
    /// <summary>The command line.</summary>
    public required string Command { get; init; }

    /// <summary>Commit of the binary.</summary>
    public string Commit { get; init; } = Machine.Commit;

    /// <summary>Processor, cores, memory.</summary>
    public string Hardware { get; init; } = Machine.Hardware;

    /// <summary>.NET runtime and operating system.</summary>
    public string Runtime { get; init; } = Machine.Runtime;

    /// <summary>Model.</summary>
    public required string Model { get; init; }

    /// <summary>Seed of the intervals.</summary>
    public required int Seed { get; init; }

    /// <summary>Tokens of text that were compared on each rung.</summary>
    public required int ComparedTokens { get; init; }

    /// <summary>Recall questions asked on each rung.</summary>
    public required int Questions { get; init; }

    /// <summary>One entry per rung, lossless first.</summary>
    public required IReadOnlyList<RungEvaluation> Rungs { get; init; }
}
