using System.Runtime.CompilerServices;
using Concertina.Compute.Model.Weights;

namespace Concertina.Compute.Kernels.Matrices.Q8;

/// <summary>
/// Q8_0 weights times 8-bit activations. Per block of 32 columns an exact integer dot product d, then
/// sum = fma((float)d, weightScale * activationScale, sum), blocks in order. Layout: <see cref="Q8Layout"/>.
/// </summary>
internal sealed unsafe class Q8Matrix : PackedMatrix
{
    private readonly KernelPath _path;
    private readonly int _blocks;

    private Q8Matrix(int rows, int columns, NativeBuffer buffer, KernelPath path)
        : base(rows, columns, buffer)
    {
        _path = path;
        _blocks = columns / Q8Layout.BlockLength;
    }

    /// <inheritdoc/>
    public override bool TakesQuantised => true;

    /// <summary>Form of activations a path wants.</summary>
    public static ActivationForm FormFor(KernelPath path) =>
        path == KernelPath.AvxVnni ? ActivationForm.Int8 : ActivationForm.Int16Paired;

    /// <summary>Packs a tensor.</summary>
    /// <exception cref="InvalidDataException">A scale is not finite.</exception>
    public static new Q8Matrix Pack(WeightTensor tensor, KernelPath path)
    {
        int blocks = tensor.Columns / Q8Layout.BlockLength;
        NativeBuffer buffer = new((long)TilesFor(tensor.Rows) * blocks * Q8Layout.BlockBytes);
        Q8Matrix matrix = new(tensor.Rows, tensor.Columns, buffer, path);
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
        byte* tile = Tile(row / TileRows);
        int lane = row % TileRows;
        for (int block = 0; block < _blocks; block++)
        {
            byte* start = tile + ((long)block * Q8Layout.BlockBytes);
            float scale = HalfConversion.ToSingle(((ushort*)start)[lane]);
            byte* weights = start + Q8Layout.ScaleBytes + (lane * Q8Layout.ChunkColumns);
            for (int i = 0; i < Q8Layout.BlockLength; i++)
            {
                byte weight = weights[(i / Q8Layout.ChunkColumns * Q8Layout.ChunkBytes) + (i % Q8Layout.ChunkColumns)];
                destination[(block * Q8Layout.BlockLength) + i] = scale * (weight - Q8Layout.Offset);
            }
        }
    }

    /// <inheritdoc/>
    protected override void MultiplyRows(ActivationRows x, RowRange block, int tile, TileOutput output)
    {
        Q8Operands operands = new(Tile(tile), x, block.First);
        bool one = block.Count == 1;
        switch (_path)
        {
            case KernelPath.Avx512 when one:
                Q8Kernel512.Multiply1(operands, output);
                break;
            case KernelPath.Avx512:
                Q8Kernel512.Multiply4(operands, output);
                break;
            case KernelPath.AvxVnni when one:
                Q8Kernel256<VnniDot>.Multiply1(operands, output);
                break;
            case KernelPath.AvxVnni:
                Q8Kernel256<VnniDot>.Multiply4(operands, output);
                break;
            case KernelPath.Avx2 when one:
                Q8Kernel256<WidenedDot>.Multiply1(operands, output);
                break;
            case KernelPath.Avx2:
                Q8Kernel256<WidenedDot>.Multiply4(operands, output);
                break;
            default:
                Q8KernelScalar.Multiply(operands, block.Count, output);
                break;
        }
    }

    /// <summary>First byte of a tile, <see cref="Q8Layout"/>.</summary>
    internal byte* Tile(int tile) => Buffer.Pointer + ((long)tile * _blocks * Q8Layout.BlockBytes);

    private void PackTile(WeightTensor tensor, int tile)
    {
        int valid = Math.Min(TileRows, Rows - (tile * TileRows));
        for (int lane = 0; lane < valid; lane++)
        {
            byte* source = tensor.Data + (((tile * (long)TileRows) + lane) * tensor.RowBytes);
            byte* target = Tile(tile);
            for (int block = 0; block < _blocks; block++)
            {
                ushort scale = Unsafe.ReadUnaligned<ushort>(source);
                if ((scale & 0x7C00) == 0x7C00)
                {
                    throw new InvalidDataException(
                        $"tensor '{tensor.Name}', row {(tile * TileRows) + lane}, block {block}: the scale is {HalfConversion.ToSingle(scale)}; weights must be finite.");
                }
                ((ushort*)target)[lane] = scale;
                byte* quants = target + Q8Layout.ScaleBytes + (lane * Q8Layout.ChunkColumns);
                for (int chunk = 0; chunk < Q8Layout.ChunksPerBlock; chunk++)
                {
                    uint four = Unsafe.ReadUnaligned<uint>(source + 2 + (chunk * Q8Layout.ChunkColumns));
                    *(uint*)(quants + (chunk * Q8Layout.ChunkBytes)) = four ^ 0x8080_8080; // adds 128 to each byte
                }
                source += TensorLayout.Q8BlockBytes;
                target += Q8Layout.BlockBytes;
            }
        }
    }
}
