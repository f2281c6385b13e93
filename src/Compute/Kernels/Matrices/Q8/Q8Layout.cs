namespace Concertina.Compute.Kernels.Matrices.Q8;

/// <summary>
/// How a Q8_0 matrix is packed. Per tile and block of 32 columns: 32 binary16 scales (one per output row), then 8 chunks of
/// 4 columns; a chunk holds, for output rows 0 to 31, the row's 4 weights side by side, each stored as weight + 128. The
/// size is that of the file's format; every chunk starts on a cache line.
/// </summary>
internal static class Q8Layout
{
    public const int BlockLength = 32;
    public const int ChunkColumns = 4;
    public const int ChunksPerBlock = BlockLength / ChunkColumns;
    public const int ScaleBytes = PackedMatrix.TileRows * 2;
    public const int ChunkBytes = PackedMatrix.TileRows * ChunkColumns;
    public const int BlockBytes = ScaleBytes + (ChunksPerBlock * ChunkBytes);
    public const byte Offset = 128;
}
