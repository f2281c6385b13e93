using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Concertina.Compute.Kernels.Elementwise;

/// <summary>The residual connection: x += y, element by element.</summary>
internal static class Residual
{
    /// <summary>Adds. The spans have one length.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add(Span<float> stream, ReadOnlySpan<float> branch)
    {
        ref float x = ref MemoryMarshal.GetReference(stream);
        ref float y = ref MemoryMarshal.GetReference(branch[..stream.Length]);
        int i = 0;
        // Loads and stores start at i with i + width <= stream.Length, the length of both.
        if (Vector256.IsHardwareAccelerated)
        {
            for (; i + 8 <= stream.Length; i += 8)
            {
                (Vector256.LoadUnsafe(ref x, (nuint)i) + Vector256.LoadUnsafe(ref y, (nuint)i)).StoreUnsafe(ref x, (nuint)i);
            }
        }
        for (; i < stream.Length; i++)
        {
            stream[i] += branch[i];
        }
    }
}
