using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Concertina.Compute.Kernels;

/// <summary>Which kernel paths this machine has.</summary>
internal static class KernelPaths
{
    /// <summary>The fastest path of this machine: 8-bit dot products beat wider vectors without them.</summary>
    public static KernelPath Best =>
        IsSupported(KernelPath.AvxVnni) ? KernelPath.AvxVnni
        : IsSupported(KernelPath.Avx512) ? KernelPath.Avx512
        : IsSupported(KernelPath.Avx2) ? KernelPath.Avx2
        : KernelPath.Scalar;

    /// <summary>True if this machine has the instructions of a path.</summary>
    public static bool IsSupported(KernelPath path) => path switch
    {
        KernelPath.Scalar => true,
        KernelPath.Avx2 => Avx2.IsSupported && Fma.IsSupported,
        KernelPath.AvxVnni => AvxVnni.IsSupported && Fma.IsSupported,
        KernelPath.Avx512 => Avx512BW.IsSupported && Vector512.IsHardwareAccelerated,
        _ => false,
    };
}
