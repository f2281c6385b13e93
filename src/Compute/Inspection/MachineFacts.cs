using System.Runtime.Intrinsics.X86;
using Concertina.Compute.Attention.Lanes;
using Concertina.Compute.Kernels;

namespace Concertina.Compute.Inspection;

/// <summary>Which kernels this machine runs, and the instructions that decide it.</summary>
/// <param name="Attention">Path of the attention kernels.</param>
/// <param name="Matrices">Path of the matrix kernels.</param>
/// <param name="Avx2">256-bit vectors with fused multiply-add.</param>
/// <param name="AvxVnni">8-bit dot products in 256 bits.</param>
/// <param name="Avx512">512-bit vectors with byte and word operations.</param>
public sealed record MachineFacts(string Attention, KernelPath Matrices, bool Avx2, bool AvxVnni, bool Avx512)
{
    /// <summary>This machine, as this process sees it: the runtime's switches count too.</summary>
    public static MachineFacts Here { get; } = new(
        VectorPaths.Best.ToString(),
        KernelPaths.Best,
        System.Runtime.Intrinsics.X86.Avx2.IsSupported && Fma.IsSupported,
        System.Runtime.Intrinsics.X86.AvxVnni.IsSupported,
        Avx512BW.IsSupported);
}
