using Concertina.Compute.Bench;

namespace Concertina.Cli.Benches;

/// <summary>What <c>concertina bench undo</c> or <c>bench budget</c> found.</summary>
internal sealed record ElasticFile
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

    /// <summary>Sessions.</summary>
    public required int Sessions { get; init; }

    /// <summary>Tokens of each.</summary>
    public required int Tokens { get; init; }

    /// <summary>Rung they are squeezed to.</summary>
    public required string Rung { get; init; }

    /// <summary>Tokens per second of a prompt of that length.</summary>
    public double? PrefillTokensPerSecond { get; init; }

    /// <summary>Tokens per second computed anew.</summary>
    public double? UndoTokensPerSecond { get; init; }

    /// <summary>The second divided by the first.</summary>
    public double? UndoToPrefill { get; init; }

    /// <summary>Of a halved budget.</summary>
    public BudgetResult? Halved { get; init; }
}
