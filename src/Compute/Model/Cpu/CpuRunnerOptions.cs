using System.ComponentModel.DataAnnotations;
using Concertina.Compute.Kernels;

namespace Concertina.Compute.Model.Cpu;

/// <summary>Sizes of a CPU runner; all memory of a step is allocated for them when the runner is made.</summary>
public sealed record CpuRunnerOptions
{
    /// <summary>Most rows of a step, 1 to 65536. Default 512.</summary>
    [Range(1, 65_536, ErrorMessage = "MaxStepRows must be between 1 and 65536.")]
    public int MaxStepRows { get; init; } = 512;

    /// <summary>Most rows of a step that want logits, 1 to 65536. Default 256.</summary>
    [Range(1, 65_536, ErrorMessage = "MaxLogitRows must be between 1 and 65536.")]
    public int MaxLogitRows { get; init; } = 256;

    /// <summary>Threads of a step, the engine's included. The default, 0, means one per core the process may use.</summary>
    [Range(0, 1024, ErrorMessage = "Threads must be between 0 (automatic) and 1024.")]
    public int Threads { get; init; }

    /// <summary>Threads of a step, with automatic resolved.</summary>
    internal int ThreadCount => Threads == 0 ? Environment.ProcessorCount : Threads;

    /// <summary>Kernel path, or null for the fastest of the machine; results do not depend on it.</summary>
    public KernelPath? Path { get; init; }
}
