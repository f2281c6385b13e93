using Concertina.Compute.Bench;

namespace Concertina.Cli.Benches.Cache;

/// <summary>What <c>concertina bench capacity</c> counted.</summary>
internal sealed record CapacityFile
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

    /// <summary>Tokens of each session; their keys and values are random numbers.</summary>
    public required int Tokens { get; init; }

    /// <summary>Numbers that keys and values of one token have over all layers and heads.</summary>
    public int? NumbersPerToken { get; init; }

    /// <summary>What the numbers do not say by themselves.</summary>
    public string? Note { get; init; }

    /// <summary>One entry per rung, in the order asked.</summary>
    public required IReadOnlyList<CapacityResult> Rungs { get; init; }
}
