using Concertina.Compute.Kernels.Matrices.Dense;
using Concertina.Compute.Kernels.Matrices.Q8;
using Concertina.Compute.Model.Weights;

namespace Concertina.Compute.Kernels.Matrices;

/// <summary>
/// A weight matrix repacked for the kernels: tiles of 32 output rows, inside a tile the input columns in order, so that
/// vector lanes are output rows and every output is one sum over columns in one fixed order. An output never depends on
/// the other rows of the step.
/// </summary>
internal abstract unsafe class PackedMatrix(int rows, int columns, NativeBuffer buffer) : IDisposable
{
    /// <summary>Output rows of a tile; the last tile is filled up with zeros.</summary>
    public const int TileRows = 32;

    /// <summary>Output rows.</summary>
    public int Rows { get; } = rows;

    /// <summary>Input columns.</summary>
    public int Columns { get; } = columns;

    /// <summary>Tiles.</summary>
    public int TileCount { get; } = TilesFor(rows);

    /// <summary>Bytes in memory.</summary>
    public long ByteCount => Buffer.ByteCount;

    /// <summary>True if it multiplies the quantised copy of the activations.</summary>
    public abstract bool TakesQuantised { get; }

    /// <summary>The packed bytes.</summary>
    protected NativeBuffer Buffer { get; } = buffer;

    /// <summary>Tiles of a number of output rows.</summary>
    public static int TilesFor(int rows) => (rows + TileRows - 1) / TileRows;

    /// <summary>Packs a tensor.</summary>
    /// <exception cref="InvalidDataException">A weight is not finite; the message says where.</exception>
    public static PackedMatrix Pack(WeightTensor tensor, KernelPath path) => tensor.Type switch
    {
        TensorType.Q80 => Q8Matrix.Pack(tensor, path),
        TensorType.F16 => DenseMatrix<HalfWeights>.Pack(tensor, path),
        TensorType.BF16 => DenseMatrix<BrainWeights>.Pack(tensor, path),
        TensorType.F32 => DenseMatrix<SingleWeights>.Pack(tensor, path),
        _ => throw new ArgumentOutOfRangeException(nameof(tensor), tensor.Type, "Not a tensor type with a kernel."),
    };

    /// <summary>Products of one tile with neighbouring rows of activations.</summary>
    /// <param name="x">Activations.</param>
    /// <param name="block">Rows to multiply.</param>
    /// <param name="tile">Tile.</param>
    /// <param name="output">[rows, stride]: element (row, output row).</param>
    /// <param name="stride">Floats from one row of the output to the next.</param>
    public void Multiply(ActivationRows x, RowRange block, int tile, float* output, int stride)
    {
        int valid = Math.Min(TileRows, Rows - (tile * TileRows));
        float* padded = stackalloc float[RowsAtOnce * TileRows];
        int row = block.First;
        int end = block.First + block.Count;
        while (row < end)
        {
            int count = end - row >= RowsAtOnce ? RowsAtOnce : 1;
            float* target = output + ((long)row * stride) + (tile * TileRows);
            if (valid == TileRows)
            {
                MultiplyRows(x, new(row, count), tile, new(target, stride));
            }
            else
            {
                MultiplyRows(x, new(row, count), tile, new(padded, TileRows));
                for (int i = 0; i < count; i++)
                {
                    new ReadOnlySpan<float>(padded + (i * TileRows), valid).CopyTo(new Span<float>(target + ((long)i * stride), valid));
                }
            }
            row += count;
        }
    }

    /// <summary>Reads one output row (an embedding) back.</summary>
    public abstract void ReadRow(int row, Span<float> destination);

    /// <inheritdoc/>
    public void Dispose() => Buffer.Dispose();

    /// <summary>Rows of activations a kernel takes at once to share the loads of the weights.</summary>
    protected const int RowsAtOnce = 4;

    /// <summary>Products of a whole tile with 1 or <see cref="RowsAtOnce"/> rows.</summary>
    protected abstract void MultiplyRows(ActivationRows x, RowRange block, int tile, TileOutput output);
}
