namespace Concertina.Compute.Kernels.Matrices;

/// <summary>Where a kernel puts the products of a tile: 32 floats per row.</summary>
internal readonly unsafe struct TileOutput(float* first, int stride)
{
    /// <summary>Output of a row of the block.</summary>
    public float* Row(int row) => first + ((long)row * stride);
}
