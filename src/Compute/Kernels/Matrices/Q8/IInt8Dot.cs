using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Concertina.Compute.Kernels.Matrices.Q8;

/// <summary>How a 256-bit path adds the products of 4 columns: 8 output rows of 4 unsigned weights times 4 activations.</summary>
internal unsafe interface IInt8Dot
{
    /// <summary>Bytes of 4 activations.</summary>
    static abstract int ChunkBytes { get; }

    /// <summary>Adds to each lane the exact sum of its 4 products.</summary>
    static abstract Vector256<int> Add(Vector256<int> sum, Vector256<byte> weights, byte* x);
}

/// <summary>With 16-bit multiply-adds on the even and the odd bytes.</summary>
internal readonly unsafe struct WidenedDot : IInt8Dot
{
    /// <inheritdoc/>
    public static int ChunkBytes => 8;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Add(Vector256<int> sum, Vector256<byte> weights, byte* x)
    {
        Vector256<short> even = (weights.AsUInt16() & Vector256.Create((ushort)0x00FF)).AsInt16();
        Vector256<short> odd = (weights.AsUInt16() >>> 8).AsInt16();
        sum += Avx2.MultiplyAddAdjacent(even, Vector256.Create(*(int*)x).AsInt16());
        return sum + Avx2.MultiplyAddAdjacent(odd, Vector256.Create(*(int*)(x + 4)).AsInt16());
    }
}

/// <summary>With the 8-bit dot product instruction.</summary>
internal readonly unsafe struct VnniDot : IInt8Dot
{
    /// <inheritdoc/>
    public static int ChunkBytes => 4;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Add(Vector256<int> sum, Vector256<byte> weights, byte* x) =>
        AvxVnni.MultiplyWideningAndAdd(sum, weights, Vector256.Create(*(int*)x).AsSByte());
}
