using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Concertina.Compute.Kernels;

namespace Concertina.Compute.Attention.Lanes;

/// <summary>Which vector unit the attention kernels use. All paths give the same bits.</summary>
internal enum VectorPath
{
    /// <summary>One lane: the twin of the others, and the path of machines without them.</summary>
    Scalar,

    /// <summary>8 lanes with fused multiply-add (AVX2).</summary>
    Lanes8,

    /// <summary>16 lanes (AVX-512).</summary>
    Lanes16,
}

/// <summary>What this machine has.</summary>
internal static class VectorPaths
{
    public static VectorPath Best =>
        IsSupported(VectorPath.Lanes16) ? VectorPath.Lanes16
        : IsSupported(VectorPath.Lanes8) ? VectorPath.Lanes8
        : VectorPath.Scalar;

    /// <summary>The attention kernels that use no more than a matrix path's instructions.</summary>
    public static VectorPath Of(KernelPath path) => path switch
    {
        KernelPath.Scalar => VectorPath.Scalar,
        KernelPath.Avx512 => VectorPath.Lanes16,
        _ => VectorPath.Lanes8,
    };

    public static bool IsSupported(VectorPath path) => path switch
    {
        VectorPath.Lanes16 => Vector512.IsHardwareAccelerated && Avx512F.IsSupported,
        VectorPath.Lanes8 => Vector256.IsHardwareAccelerated && Fma.IsSupported,
        _ => true,
    };
}
