namespace Concertina.Compute.Kernels.Matrices.Dense;

/// <summary>What a dense kernel multiplies: one packed tile, and neighbouring rows of binary32 activations.</summary>
internal readonly unsafe struct DenseOperands(byte* tile, float* x, int columns)
{
    /// <summary>First column of the tile.</summary>
    public byte* Tile { get; } = tile;

    /// <summary>First row of activations; the next follows after <see cref="Columns"/>.</summary>
    public float* X { get; } = x;

    /// <summary>Columns.</summary>
    public int Columns { get; } = columns;
}
