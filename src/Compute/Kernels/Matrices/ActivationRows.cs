using System.Runtime.InteropServices;

namespace Concertina.Compute.Kernels.Matrices;

/// <summary>
/// Inputs of a matrix product, [rows, columns], binary32, and beside them their 8-bit form if a matrix wants it: per row
/// and block of 32 columns a scale (largest magnitude / 127) and integers in -127..127. Each row is quantised by itself.
/// </summary>
internal sealed unsafe class ActivationRows : IDisposable
{
    /// <summary>Columns that share a scale.</summary>
    public const int BlockLength = 32;

    private readonly float[] _values;
    private readonly int _blockBytes;
    private readonly NativeBuffer? _quantised;
    private readonly NativeBuffer? _scales;
    private readonly NativeBuffer? _corrections;

    /// <summary>Allocates.</summary>
    /// <param name="maxRows">Most rows.</param>
    /// <param name="columns">Columns; a multiple of 32 if quantised.</param>
    /// <param name="form">Form of the quantised copy.</param>
    public ActivationRows(int maxRows, int columns, ActivationForm form)
    {
        Columns = columns;
        Form = form;
        _values = GC.AllocateArray<float>(checked(maxRows * columns), pinned: true);
        Values = (float*)Marshal.UnsafeAddrOfPinnedArrayElement(_values, 0);
        ByteCount = _values.Length * (long)sizeof(float);
        if (form == ActivationForm.Float)
        {
            return;
        }
        _blockBytes = BlockLength * (form == ActivationForm.Int8 ? 1 : 2);
        // Neighbouring rows are read together; a line of padding keeps them out of each other's cache sets.
        RowBytes = (columns / BlockLength * _blockBytes) + NativeBuffer.Alignment;
        BlockCount = columns / BlockLength;
        _quantised = new((long)maxRows * RowBytes);
        _scales = new((long)maxRows * BlockCount * sizeof(float));
        _corrections = new((long)maxRows * BlockCount * sizeof(int));
        ByteCount += _quantised.ByteCount + _scales.ByteCount + _corrections.ByteCount;
    }

    /// <summary>Elements of a row.</summary>
    public int Columns { get; }

    /// <summary>Form of the quantised copy.</summary>
    public ActivationForm Form { get; }

    /// <summary>Blocks of a row; 0 if not quantised.</summary>
    public int BlockCount { get; }

    /// <summary>Bytes from one quantised row to the next.</summary>
    public int RowBytes { get; }

    /// <summary>Bytes allocated.</summary>
    public long ByteCount { get; }

    /// <summary>The binary32 rows.</summary>
    public float* Values { get; }

    /// <summary>The binary32 rows, for callers that want managed memory.</summary>
    public Memory<float> Memory => _values;

    /// <summary>Bytes that each row takes.</summary>
    public static long BytesPerRow(int columns, ActivationForm form)
    {
        long blocks = columns / BlockLength;
        return (columns * (long)sizeof(float)) + form switch
        {
            ActivationForm.Float => 0,
            ActivationForm.Int8 => (blocks * (BlockLength + sizeof(float) + sizeof(int))) + NativeBuffer.Alignment,
            _ => (blocks * ((2 * BlockLength) + sizeof(float) + sizeof(int))) + NativeBuffer.Alignment,
        };
    }

    /// <summary>First integer of a row.</summary>
    public byte* Quantised(int row) => _quantised!.Pointer + ((long)row * RowBytes);

    /// <summary>Scales of a row, one per block. A block with an infinity or NaN has scale NaN.</summary>
    public float* Scales(int row) => (float*)_scales!.Pointer + ((long)row * BlockCount);

    /// <summary>-128 times the sum of each block's integers: what the weights' offset of 128 adds too much.</summary>
    public int* Corrections(int row) => (int*)_corrections!.Pointer + ((long)row * BlockCount);

    /// <summary>One binary32 row.</summary>
    public Span<float> Row(int row) => _values.AsSpan(row * Columns, Columns);

    /// <summary>Brings the quantised copy of a row up to date; does nothing if there is none.</summary>
    public void Quantise(int row) => Quantise(row, 0, BlockCount);

    /// <summary>Brings some blocks of the quantised copy of a row up to date; does nothing if there is none.</summary>
    public void Quantise(int row, int firstBlock, int blockCount)
    {
        float* values = Values + ((long)row * Columns);
        for (int block = firstBlock; block < Math.Min(firstBlock + blockCount, BlockCount); block++)
        {
            byte* target = Quantised(row) + (_blockBytes * block);
            (Scales(row)[block], Corrections(row)[block]) = BlockQuantiser.Quantise(values + (block * BlockLength), Form, target);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _quantised?.Dispose();
        _scales?.Dispose();
        _corrections?.Dispose();
    }
}
