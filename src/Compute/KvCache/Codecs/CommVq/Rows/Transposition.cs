using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Concertina.Compute.KvCache.Codecs.CommVq.Rows;

/// <summary>Moves 8 x 8 floats from rows to columns. Data only moves, so all paths give the same bits.</summary>
internal static unsafe class Transposition
{
    /// <summary>Rows and columns of a block.</summary>
    public const int Block = 8;

    /// <summary>target[column * targetStride + row] = source[row * sourceStride + column], for 8 rows and 8 columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run(float* source, int sourceStride, float* target, int targetStride)
    {
        if (Avx.IsSupported)
        {
            Vectors(source, sourceStride, target, targetStride);
        }
        else
        {
            Plain(source, sourceStride, target, targetStride);
        }
    }

    internal static void Plain(float* source, int sourceStride, float* target, int targetStride)
    {
        for (int row = 0; row < Block; row++)
        {
            for (int column = 0; column < Block; column++)
            {
                target[(column * targetStride) + row] = source[(row * sourceStride) + column];
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Vectors(float* source, int sourceStride, float* target, int targetStride)
    {
        // Rows 0 to 3 beside rows 4 to 7, in two halves of four columns.
        for (int half = 0; half < 2; half++)
        {
            float* from = source + (half * 4);
            Vector256<float> a = Join(from, from + (4 * sourceStride));
            Vector256<float> b = Join(from + sourceStride, from + (5 * sourceStride));
            Vector256<float> c = Join(from + (2 * sourceStride), from + (6 * sourceStride));
            Vector256<float> d = Join(from + (3 * sourceStride), from + (7 * sourceStride));
            Vector256<float> ab = Avx.UnpackLow(a, b);
            Vector256<float> cd = Avx.UnpackLow(c, d);
            Vector256<float> abHigh = Avx.UnpackHigh(a, b);
            Vector256<float> cdHigh = Avx.UnpackHigh(c, d);
            float* to = target + (half * 4 * targetStride);
            Avx.Shuffle(ab, cd, 0b01_00_01_00).Store(to);
            Avx.Shuffle(ab, cd, 0b11_10_11_10).Store(to + targetStride);
            Avx.Shuffle(abHigh, cdHigh, 0b01_00_01_00).Store(to + (2 * targetStride));
            Avx.Shuffle(abHigh, cdHigh, 0b11_10_11_10).Store(to + (3 * targetStride));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Join(float* low, float* high) => Vector256.Create(Vector128.Load(low), Vector128.Load(high));
}
