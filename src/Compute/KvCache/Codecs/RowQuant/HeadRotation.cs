using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Concertina.Compute.KvCache.Codecs.RowQuant;

/// <summary>
/// A fixed orthogonal rotation of a head's channels: random signs, then a Hadamard matrix on blocks of the largest power of
/// two that divides the head dimension, scaled by 1 / sqrt(block). It spreads a large channel over all of its block, and
/// scalar products of two rotated vectors are those of the vectors themselves.
/// </summary>
internal static class HeadRotation
{
    private const uint Seed = 1;
    private const int LargestHeadDim = 256;

    private static readonly float[] Signs = SignsOf(Seed, LargestHeadDim);

    /// <summary>Channels that one block of a head mixes.</summary>
    public static int Block(int headDim) => headDim & -headDim;

    /// <summary>Rotates a row in place; its length is a multiple of 8.</summary>
    public static void Forward(Span<float> row) => Forward(row, Signs);

    /// <summary>Undoes <see cref="Forward(Span{float})"/> but for rounding.</summary>
    public static void Inverse(Span<float> row) => Inverse(row, Signs);

    /// <summary>The same with given signs.</summary>
    internal static void Forward(Span<float> row, ReadOnlySpan<float> signs)
    {
        Multiply(row, signs);
        Transform(row);
    }

    /// <summary>The same with given signs.</summary>
    internal static void Inverse(Span<float> row, ReadOnlySpan<float> signs)
    {
        Transform(row);
        Multiply(row, signs);
    }

    /// <summary>Sign i is -1 where the top bit of a hash of the seed and i is set.</summary>
    internal static float[] SignsOf(uint seed, int count)
    {
        float[] signs = new float[count];
        for (int i = 0; i < count; i++)
        {
            signs[i] = Hash(unchecked((seed * 0x9E37_79B9) + (uint)i)) >> 31 == 0 ? 1f : -1f;
        }
        return signs;
    }

    /// <summary>The finaliser of MurmurHash3.</summary>
    internal static uint Hash(uint value)
    {
        value = unchecked((value ^ (value >> 16)) * 0x85EB_CA6B);
        value = unchecked((value ^ (value >> 13)) * 0xC2B2_AE35);
        return value ^ (value >> 16);
    }

    private static void Multiply(Span<float> row, ReadOnlySpan<float> signs)
    {
        ref float x = ref MemoryMarshal.GetReference(row);
        ref float s = ref MemoryMarshal.GetReference(signs[..row.Length]);
        for (nuint i = 0; i < (nuint)row.Length; i += 8)
        {
            (Vector256.LoadUnsafe(ref x, i) * Vector256.LoadUnsafe(ref s, i)).StoreUnsafe(ref x, i);
        }
    }

    // Butterflies (u + v, u - v) at distance 1, 2, 4, ... in this order, so that every machine rounds alike.
    private static void Transform(Span<float> row)
    {
        int block = Block(row.Length);
        ref float x = ref MemoryMarshal.GetReference(row);
        for (int i = 0; i < row.Length; i += 8)
        {
            Within(Vector256.LoadUnsafe(ref x, (nuint)i)).StoreUnsafe(ref x, (nuint)i);
        }
        for (int distance = 8; distance < block; distance *= 2)
        {
            for (int first = 0; first < row.Length; first += 2 * distance)
            {
                for (int i = first; i < first + distance; i += 8)
                {
                    Vector256<float> u = Vector256.LoadUnsafe(ref x, (nuint)i);
                    Vector256<float> v = Vector256.LoadUnsafe(ref x, (nuint)(i + distance));
                    (u + v).StoreUnsafe(ref x, (nuint)i);
                    (u - v).StoreUnsafe(ref x, (nuint)(i + distance));
                }
            }
        }
        Vector256<float> scale = Vector256.Create((float)(1.0 / Math.Sqrt(block)));
        for (int i = 0; i < row.Length; i += 8)
        {
            (Vector256.LoadUnsafe(ref x, (nuint)i) * scale).StoreUnsafe(ref x, (nuint)i);
        }
    }

    // u - v is v' + -v where the lanes changed places: the same number.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Within(Vector256<float> x)
    {
        const float N = -0f;
        x = Vector256.Shuffle(x, Vector256.Create(1, 0, 3, 2, 5, 4, 7, 6)) + (x ^ Vector256.Create(0f, N, 0f, N, 0f, N, 0f, N));
        x = Vector256.Shuffle(x, Vector256.Create(2, 3, 0, 1, 6, 7, 4, 5)) + (x ^ Vector256.Create(0f, 0f, N, N, 0f, 0f, N, N));
        return Vector256.Shuffle(x, Vector256.Create(4, 5, 6, 7, 0, 1, 2, 3)) + (x ^ Vector256.Create(0f, 0f, 0f, 0f, N, N, N, N));
    }
}
