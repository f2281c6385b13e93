using Concertina.Compute.Evaluation;

namespace Concertina.Cli.Benches.Cache;

/// <summary>What <c>concertina bench transcode</c> found.</summary>
internal sealed record TranscodeFile
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

    /// <summary>Tokens of the sequence.</summary>
    public required int Tokens { get; init; }

    /// <summary>One entry per pair of rungs that may follow each other.</summary>
    public required IReadOnlyList<TranscodeSpeed> Edges { get; init; }
}
