using System.Runtime.CompilerServices;
using Concertina.Compute.Model.Weights;

namespace Concertina.Compute.Kernels.Matrices.Dense;

/// <summary>
/// Weights without shared scales times binary32 activations: sum = fma(weight, activation, sum), columns in order. Packed
/// per tile as [columns, 32 output rows].
/// </summary>
/// <typeparam name="TWeights">Format of the weights.</typeparam>
internal sealed unsafe class DenseMatrix<TWeights> : PackedMatrix
    where TWeights : struct, IDenseWeights
{
    private readonly KernelPath _path;

    private DenseMatrix(int rows, int columns, NativeBuffer buffer, KernelPath path)
        : base(rows, columns, buffer) => _path = path;

    /// <inheritdoc/>
    public override bool TakesQuantised => false;

    /// <summary>Packs a tensor.</summary>
    /// <exception cref="InvalidDataException">A weight is not finite.</exception>
    public static new DenseMatrix<TWeights> Pack(WeightTensor tensor, KernelPath path)
    {
        NativeBuffer buffer = new((long)TilesFor(tensor.Rows) * TileRows * tensor.Columns * TWeights.ByteCount);
        DenseMatrix<TWeights> matrix = new(tensor.Rows, tensor.Columns, buffer, path);
        try
        {
            Parallel.For(0, matrix.TileCount, tile => matrix.PackTile(tensor, tile));
        }
        catch (AggregateException failures)
        {
            buffer.Dispose();
            throw failures.InnerExceptions[0];
        }
        return matrix;
    }

    /// <inheritdoc/>
    public override void ReadRow(int row, Span<float> destination)
    {
        byte* source = Tile(row / TileRows) + (row % TileRows * TWeights.ByteCount);
        for (int column = 0; column < Columns; column++)
        {
            destination[column] = TWeights.Load(source);
            source += TileRows * TWeights.ByteCount;
        }
    }

    /// <inheritdoc/>
    protected override void MultiplyRows(ActivationRows x, RowRange block, int tile, TileOutput output)
    {
        DenseOperands operands = new(Tile(tile), x.Values + ((long)block.First * Columns), Columns);
        switch (_path)
        {
            case KernelPath.Avx512 when block.Count == 1:
                DenseKernel512<TWeights>.Multiply1(operands, output);
                break;
            case KernelPath.Avx512:
                DenseKernel512<TWeights>.Multiply4(operands, output);
                break;
            case KernelPath.Avx2 or KernelPath.AvxVnni when block.Count == 1:
                DenseKernel256<TWeights>.Multiply1(operands, output);
                break;
            case KernelPath.Avx2 or KernelPath.AvxVnni:
                DenseKernel256<TWeights>.Multiply4(operands, output);
                break;
            default:
                DenseKernelScalar<TWeights>.Multiply(operands, block.Count, output);
                break;
        }
    }

    private byte* Tile(int tile) => Buffer.Pointer + ((long)tile * TileRows * Columns * TWeights.ByteCount);

    private void PackTile(WeightTensor tensor, int tile)
    {
        int valid = Math.Min(TileRows, Rows - (tile * TileRows));
        for (int lane = 0; lane < valid; lane++)
        {
            byte* source = tensor.Data + (((tile * (long)TileRows) + lane) * tensor.RowBytes);
            byte* target = Tile(tile) + (lane * TWeights.ByteCount);
            for (int column = 0; column < Columns; column++)
            {
                if (!float.IsFinite(TWeights.Load(source)))
                {
                    throw new InvalidDataException(
                        $"tensor '{tensor.Name}', row {(tile * TileRows) + lane}, column {column}: the weight is {TWeights.Load(source)}; weights must be finite.");
                }
                Unsafe.CopyBlockUnaligned(target, source, (uint)TWeights.ByteCount);
                source += TWeights.ByteCount;
                target += TileRows * TWeights.ByteCount;
            }
        }
    }
}
