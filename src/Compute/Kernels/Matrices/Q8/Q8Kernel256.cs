using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Concertina.Compute.Kernels.Matrices.Q8;

/// <summary>
/// The Q8_0 product with 256-bit vectors, 16 output rows at a time (two vectors), so that four rows of activations fit the
/// 16 registers; the binary32 sums stay in the output between blocks.
/// </summary>
/// <typeparam name="TDot">How 4 columns are added.</typeparam>
internal static unsafe class Q8Kernel256<TDot>
    where TDot : struct, IInt8Dot
{
    private const int VectorBytes = 32;
    private const int VectorRows = 8;
    private const int PairRows = 2 * VectorRows;

    /// <summary>A tile times one row. All pointers stay inside the tile and the row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply1(in Q8Operands operands, TileOutput output)
    {
        for (int rows = 0; rows < PackedMatrix.TileRows; rows += PairRows)
        {
            byte* weights = operands.Tile;
            byte* x = operands.Integers;
            Vector256<float> low = Vector256<float>.Zero;
            Vector256<float> high = Vector256<float>.Zero;
            for (int block = 0; block < operands.BlockCount; block++)
            {
                Vector256<int> a = Vector256.Create(operands.Corrections[block]);
                Vector256<int> b = a;
                byte* chunk = weights + Q8Layout.ScaleBytes + (rows * Q8Layout.ChunkColumns);
                for (int i = 0; i < Q8Layout.ChunksPerBlock; i++)
                {
                    a = TDot.Add(a, Vector256.Load(chunk), x);
                    b = TDot.Add(b, Vector256.Load(chunk + VectorBytes), x);
                    chunk += Q8Layout.ChunkBytes;
                    x += TDot.ChunkBytes;
                }
                Vector256<float> factor = Vector256.Create(operands.Scales[block]);
                ushort* scales = (ushort*)weights + rows;
                low = Vector256.FusedMultiplyAdd(Vector256.ConvertToSingle(a), LoadScales(scales) * factor, low);
                high = Vector256.FusedMultiplyAdd(Vector256.ConvertToSingle(b), LoadScales(scales + VectorRows) * factor, high);
                weights += Q8Layout.BlockBytes;
            }
            low.Store(output.Row(0) + rows);
            high.Store(output.Row(0) + rows + VectorRows);
        }
    }

    /// <summary>A tile times four rows, which share the loads of the weights.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply4(in Q8Operands operands, TileOutput output)
    {
        for (int row = 0; row < 4; row++)
        {
            new Span<float>(output.Row(row), PackedMatrix.TileRows).Clear();
        }
        for (int rows = 0; rows < PackedMatrix.TileRows; rows += PairRows)
        {
            for (int block = 0; block < operands.BlockCount; block++)
            {
                MultiplyBlock(operands, block, rows, output);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void MultiplyBlock(in Q8Operands operands, int block, int rows, TileOutput output)
    {
        int blocks = operands.BlockCount;
        int* corrections = operands.Corrections + block;
        byte* weights = operands.Tile + ((long)block * Q8Layout.BlockBytes);
        byte* x0 = operands.Integers + ((long)block * Q8Layout.ChunksPerBlock * TDot.ChunkBytes);
        byte* x1 = x0 + operands.RowBytes;
        byte* x2 = x1 + operands.RowBytes;
        byte* x3 = x2 + operands.RowBytes;
        Vector256<int> a0 = Vector256.Create(corrections[0]), b0 = a0;
        Vector256<int> a1 = Vector256.Create(corrections[blocks]), b1 = a1;
        Vector256<int> a2 = Vector256.Create(corrections[2 * blocks]), b2 = a2;
        Vector256<int> a3 = Vector256.Create(corrections[3 * blocks]), b3 = a3;
        byte* chunk = weights + Q8Layout.ScaleBytes + (rows * Q8Layout.ChunkColumns);
        for (int offset = 0; offset < Q8Layout.ChunksPerBlock * TDot.ChunkBytes; offset += TDot.ChunkBytes)
        {
            Vector256<byte> first = Vector256.Load(chunk);
            a0 = TDot.Add(a0, first, x0 + offset);
            a1 = TDot.Add(a1, first, x1 + offset);
            a2 = TDot.Add(a2, first, x2 + offset);
            a3 = TDot.Add(a3, first, x3 + offset);
            Vector256<byte> second = Vector256.Load(chunk + VectorBytes);
            b0 = TDot.Add(b0, second, x0 + offset);
            b1 = TDot.Add(b1, second, x1 + offset);
            b2 = TDot.Add(b2, second, x2 + offset);
            b3 = TDot.Add(b3, second, x3 + offset);
            chunk += Q8Layout.ChunkBytes;
        }
        Vector256<float> low = LoadScales((ushort*)weights + rows);
        Vector256<float> high = LoadScales((ushort*)weights + rows + VectorRows);
        float* scales = operands.Scales + block;
        Scale(a0, b0, low, high, scales[0], output.Row(0) + rows);
        Scale(a1, b1, low, high, scales[blocks], output.Row(1) + rows);
        Scale(a2, b2, low, high, scales[2 * blocks], output.Row(2) + rows);
        Scale(a3, b3, low, high, scales[3 * blocks], output.Row(3) + rows);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Scale(
        Vector256<int> first, Vector256<int> second, Vector256<float> low, Vector256<float> high, float scale, float* sums)
    {
        Vector256<float> factor = Vector256.Create(scale);
        Vector256.FusedMultiplyAdd(Vector256.ConvertToSingle(first), low * factor, Vector256.Load(sums)).Store(sums);
        Vector256.FusedMultiplyAdd(Vector256.ConvertToSingle(second), high * factor, Vector256.Load(sums + VectorRows)).Store(sums + VectorRows);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> LoadScales(ushort* source)
    {
        (Vector128<uint> low, Vector128<uint> high) = Vector128.Widen(Vector128.Load(source));
        return HalfConversion.ToSingle(Vector256.Create(low, high));
    }
}
