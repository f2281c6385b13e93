using Concertina.Compute.Bench;

namespace Concertina.Cli.Benches.Cache;

/// <summary>What <c>concertina bench rungs</c> found.</summary>
internal sealed record RungSpeedFile
{
    /// <summary>The command line.</summary>
    public required string Command { get; init; }

    /// <summary>Commit of the binary.</summary>
    public string Commit { get; init; } = Machine.Commit;

    /// <summary>Processor, cores, memory.</summary>
    public string Hardware { get; init; } = Machine.Hardware;

    /// <summary>.NET runtime and operating system.</summary>
    public string Runtime { get; init; } = Machine.Runtime;

    /// <summary>Model, or the shape when the weights are random.</summary>
    public required string Model { get; init; }

    /// <summary>What the numbers do not say by themselves.</summary>
    public required string Note { get; init; }

    /// <summary>Rounds in which all rungs took turns.</summary>
    public required int Rounds { get; init; }

    /// <summary>One entry per batch, depth and rung.</summary>
    public required IReadOnlyList<RungSpeed> Rungs { get; init; }
}
