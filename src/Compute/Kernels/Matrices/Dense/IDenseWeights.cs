using System.Runtime.Intrinsics;

namespace Concertina.Compute.Kernels.Matrices.Dense;

/// <summary>A format whose weights stand alone (no shared scales), widened exactly to binary32 in the kernel.</summary>
internal unsafe interface IDenseWeights
{
    /// <summary>Bytes of a weight.</summary>
    static abstract int ByteCount { get; }

    /// <summary>Widens one weight.</summary>
    static abstract float Load(byte* source);

    /// <summary>Widens 8 weights.</summary>
    static abstract Vector256<float> Load256(byte* source);

    /// <summary>Widens 16 weights.</summary>
    static abstract Vector512<float> Load512(byte* source);
}
