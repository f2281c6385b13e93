using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Concertina.Compute.Kernels.Matrices.Dense;

/// <summary>Binary32 weights.</summary>
internal readonly unsafe struct SingleWeights : IDenseWeights
{
    /// <inheritdoc/>
    public static int ByteCount => 4;

    /// <inheritdoc/>
    public static float Load(byte* source) => *(float*)source;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load256(byte* source) => Vector256.Load((float*)source);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load512(byte* source) => Vector512.Load((float*)source);
}

/// <summary>Binary16 weights, finite.</summary>
internal readonly unsafe struct HalfWeights : IDenseWeights
{
    private const int SignAndMagnitude = unchecked((int)0x8FFF_E000);
    private const float Rebias = 5.192296858534828e33f; // 2^112

    /// <inheritdoc/>
    public static int ByteCount => 2;

    /// <inheritdoc/>
    public static float Load(byte* source) => HalfConversion.ToSingle(*(ushort*)source);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load256(byte* source)
    {
        Vector256<int> wide = Avx2.ConvertToVector256Int32(Vector128.Load((short*)source));
        return ((wide << 13) & Vector256.Create(SignAndMagnitude)).AsSingle() * Vector256.Create(Rebias);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load512(byte* source)
    {
        Vector512<int> wide = Avx512F.ConvertToVector512Int32(Vector256.Load((short*)source));
        return ((wide << 13) & Vector512.Create(SignAndMagnitude)).AsSingle() * Vector512.Create(Rebias);
    }
}

/// <summary>Weights that are the upper halves of binary32 numbers.</summary>
internal readonly unsafe struct BrainWeights : IDenseWeights
{
    /// <inheritdoc/>
    public static int ByteCount => 2;

    /// <inheritdoc/>
    public static float Load(byte* source) => BitConverter.UInt32BitsToSingle((uint)*(ushort*)source << 16);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load256(byte* source) =>
        (Avx2.ConvertToVector256Int32(Vector128.Load((ushort*)source)) << 16).AsSingle();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load512(byte* source) =>
        (Avx512F.ConvertToVector512Int32(Vector256.Load((ushort*)source)) << 16).AsSingle();
}
