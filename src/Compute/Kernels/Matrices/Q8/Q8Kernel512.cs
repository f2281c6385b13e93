using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Concertina.Compute.Kernels.Matrices.Q8;

/// <summary>
/// The Q8_0 product with 512-bit vectors and 16-bit multiply-adds. A vector holds 4 columns of 16 output rows as bytes; its
/// even bytes (columns 0, 2) and odd bytes (columns 1, 3) are widened in place by a mask and a shift, so that each 32-bit
/// lane stays one output row and no horizontal sum is ever needed. Sums of 255 * 127 * 32 fit 32 bits: integers are exact.
/// </summary>
internal static unsafe class Q8Kernel512
{
    private const int Half = Q8Layout.ChunkBytes / 2;
    private const int PairBytes = 4;                  // two 16-bit activations
    private const int ActivationBytes = 2 * PairBytes; // of a chunk

    /// <summary>A tile times one row. All pointers stay inside the tile and the row: blocks * block size each.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply1(in Q8Operands operands, TileOutput output)
    {
        byte* weights = operands.Tile;
        byte* x = operands.Integers;
        Vector512<ushort> even = Vector512.Create((ushort)0x00FF);
        Vector512<float> low = Vector512<float>.Zero;
        Vector512<float> high = Vector512<float>.Zero;
        for (int block = 0; block < operands.BlockCount; block++)
        {
            Vector512<int> a = Vector512.Create(operands.Corrections[block]);
            Vector512<int> b = a;
            Vector512<int> c = Vector512<int>.Zero;
            Vector512<int> d = Vector512<int>.Zero;
            byte* chunk = weights + Q8Layout.ScaleBytes;
            for (byte* end = weights + Q8Layout.BlockBytes; chunk < end; chunk += Q8Layout.ChunkBytes)
            {
                Vector512<ushort> first = Vector512.LoadAligned((ushort*)chunk);
                Vector512<ushort> second = Vector512.LoadAligned((ushort*)(chunk + Half));
                Vector512<short> x02 = Vector512.Create(*(int*)x).AsInt16();
                Vector512<short> x13 = Vector512.Create(*(int*)(x + PairBytes)).AsInt16();
                a += Avx512BW.MultiplyAddAdjacent((first & even).AsInt16(), x02);
                b += Avx512BW.MultiplyAddAdjacent((second & even).AsInt16(), x02);
                c += Avx512BW.MultiplyAddAdjacent((first >>> 8).AsInt16(), x13);
                d += Avx512BW.MultiplyAddAdjacent((second >>> 8).AsInt16(), x13);
                x += ActivationBytes;
            }
            Vector512<float> scale = Vector512.Create(operands.Scales[block]);
            low = Vector512.FusedMultiplyAdd(Vector512.ConvertToSingle(a + c), LoadScales(weights) * scale, low);
            high = Vector512.FusedMultiplyAdd(Vector512.ConvertToSingle(b + d), LoadScales(weights + 32) * scale, high);
            weights += Q8Layout.BlockBytes;
        }
        low.Store(output.Row(0));
        high.Store(output.Row(0) + 16);
    }

    /// <summary>A tile times four rows, which share the loads and widenings of the weights.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply4(in Q8Operands operands, TileOutput output)
    {
        byte* weights = operands.Tile;
        byte* x = operands.Integers;
        long row = operands.RowBytes;
        int blocks = operands.BlockCount;
        int* corrections = operands.Corrections;
        float* scales = operands.Scales;
        Vector512<ushort> even = Vector512.Create((ushort)0x00FF);
        Vector512<float> f0 = Vector512<float>.Zero, f1 = f0, f2 = f0, f3 = f0, f4 = f0, f5 = f0, f6 = f0, f7 = f0;
        for (int block = 0; block < blocks; block++)
        {
            Vector512<int> i0 = Vector512.Create(corrections[block]), i1 = i0;
            Vector512<int> i2 = Vector512.Create(corrections[block + blocks]), i3 = i2;
            Vector512<int> i4 = Vector512.Create(corrections[block + (2 * blocks)]), i5 = i4;
            Vector512<int> i6 = Vector512.Create(corrections[block + (3 * blocks)]), i7 = i6;
            byte* chunk = weights + Q8Layout.ScaleBytes;
            for (byte* end = weights + Q8Layout.BlockBytes; chunk < end; chunk += Q8Layout.ChunkBytes)
            {
                Vector512<ushort> first = Vector512.LoadAligned((ushort*)chunk);
                Vector512<ushort> second = Vector512.LoadAligned((ushort*)(chunk + Half));
                Vector512<short> firstEven = (first & even).AsInt16();
                Vector512<short> firstOdd = (first >>> 8).AsInt16();
                Vector512<short> secondEven = (second & even).AsInt16();
                Vector512<short> secondOdd = (second >>> 8).AsInt16();
                byte* next = x;
                Accumulate(next, firstEven, firstOdd, secondEven, secondOdd, ref i0, ref i1);
                next += row;
                Accumulate(next, firstEven, firstOdd, secondEven, secondOdd, ref i2, ref i3);
                next += row;
                Accumulate(next, firstEven, firstOdd, secondEven, secondOdd, ref i4, ref i5);
                next += row;
                Accumulate(next, firstEven, firstOdd, secondEven, secondOdd, ref i6, ref i7);
                x += ActivationBytes;
            }
            Vector512<float> low = LoadScales(weights);
            Vector512<float> high = LoadScales(weights + 32);
            Scale(i0, i1, low, high, scales[block], ref f0, ref f1);
            Scale(i2, i3, low, high, scales[block + blocks], ref f2, ref f3);
            Scale(i4, i5, low, high, scales[block + (2 * blocks)], ref f4, ref f5);
            Scale(i6, i7, low, high, scales[block + (3 * blocks)], ref f6, ref f7);
            weights += Q8Layout.BlockBytes;
        }
        Store(output.Row(0), f0, f1);
        Store(output.Row(1), f2, f3);
        Store(output.Row(2), f4, f5);
        Store(output.Row(3), f6, f7);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Accumulate(
        byte* x, Vector512<short> firstEven, Vector512<short> firstOdd, Vector512<short> secondEven, Vector512<short> secondOdd,
        ref Vector512<int> first, ref Vector512<int> second)
    {
        Vector512<short> x02 = Vector512.Create(*(int*)x).AsInt16();
        first += Avx512BW.MultiplyAddAdjacent(firstEven, x02);
        second += Avx512BW.MultiplyAddAdjacent(secondEven, x02);
        Vector512<short> x13 = Vector512.Create(*(int*)(x + PairBytes)).AsInt16();
        first += Avx512BW.MultiplyAddAdjacent(firstOdd, x13);
        second += Avx512BW.MultiplyAddAdjacent(secondOdd, x13);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Scale(
        Vector512<int> first, Vector512<int> second, Vector512<float> low, Vector512<float> high, float scale,
        ref Vector512<float> sumLow, ref Vector512<float> sumHigh)
    {
        Vector512<float> factor = Vector512.Create(scale);
        sumLow = Vector512.FusedMultiplyAdd(Vector512.ConvertToSingle(first), low * factor, sumLow);
        sumHigh = Vector512.FusedMultiplyAdd(Vector512.ConvertToSingle(second), high * factor, sumHigh);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> LoadScales(byte* source) =>
        HalfConversion.ToSingle(Avx512F.ConvertToVector512Int32(Vector256.Load((ushort*)source)).AsUInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(float* target, Vector512<float> low, Vector512<float> high)
    {
        low.Store(target);
        high.Store(target + 16);
    }
}
