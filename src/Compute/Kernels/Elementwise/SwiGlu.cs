using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Concertina.Compute.Kernels.Elementwise;

/// <summary>SwiGLU: gate / (1 + e^-gate) * up, element by element; all paths give the same bits.</summary>
internal static class SwiGlu
{
    /// <summary>Replaces each gate by its product. The spans have one length.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Apply(Span<float> gate, ReadOnlySpan<float> up)
    {
        ref float g = ref MemoryMarshal.GetReference(gate);
        ref float u = ref MemoryMarshal.GetReference(up[..gate.Length]);
        int i = 0;
        // Loads and stores start at i with i + width <= gate.Length, the length of both.
        if (Vector512.IsHardwareAccelerated)
        {
            for (; i + 16 <= gate.Length; i += 16)
            {
                Vector512<float> x = Vector512.LoadUnsafe(ref g, (nuint)i);
                Vector512<float> silu = x / (Vector512<float>.One + VectorExp.Exp(-x));
                (silu * Vector512.LoadUnsafe(ref u, (nuint)i)).StoreUnsafe(ref g, (nuint)i);
            }
        }
        if (Vector256.IsHardwareAccelerated)
        {
            for (; i + 8 <= gate.Length; i += 8)
            {
                Vector256<float> x = Vector256.LoadUnsafe(ref g, (nuint)i);
                Vector256<float> silu = x / (Vector256<float>.One + VectorExp.Exp(-x));
                (silu * Vector256.LoadUnsafe(ref u, (nuint)i)).StoreUnsafe(ref g, (nuint)i);
            }
        }
        ApplyScalar(gate[i..], up[i..]);
    }

    internal static void ApplyScalar(Span<float> gate, ReadOnlySpan<float> up)
    {
        for (int i = 0; i < gate.Length; i++)
        {
            gate[i] = gate[i] / (1f + VectorExp.Exp(-gate[i])) * up[i];
        }
    }
}
