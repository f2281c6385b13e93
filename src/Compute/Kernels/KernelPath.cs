namespace Concertina.Compute.Kernels;

/// <summary>Instructions a matrix kernel uses. All paths give the same bits.</summary>
public enum KernelPath
{
    /// <summary>No vectors: the definition, and the fallback of unknown machines.</summary>
    Scalar,

    /// <summary>256-bit vectors, 16-bit multiply-add.</summary>
    Avx2,

    /// <summary>256-bit vectors, 8-bit dot products.</summary>
    AvxVnni,

    /// <summary>512-bit vectors, 16-bit multiply-add.</summary>
    Avx512,
}
