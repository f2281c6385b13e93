namespace Concertina.Compute.Kernels.Matrices.Q8;

/// <summary>What a Q8_0 kernel multiplies: one packed tile, and neighbouring rows of quantised activations.</summary>
internal readonly unsafe struct Q8Operands(byte* tile, ActivationRows x, int firstRow)
{
    /// <summary>First block of the tile.</summary>
    public byte* Tile { get; } = tile;

    /// <summary>Blocks of a row.</summary>
    public int BlockCount { get; } = x.BlockCount;

    /// <summary>Integers of the first row.</summary>
    public byte* Integers { get; } = x.Quantised(firstRow);

    /// <summary>Bytes from one row of integers to the next.</summary>
    public long RowBytes { get; } = x.RowBytes;

    /// <summary>Scales of the first row; the next row follows after <see cref="BlockCount"/>.</summary>
    public float* Scales { get; } = x.Scales(firstRow);

    /// <summary>Corrections of the first row; the next row follows after <see cref="BlockCount"/>.</summary>
    public int* Corrections { get; } = x.Corrections(firstRow);
}
