using Concertina.Compute.Kernels.Matrices;

namespace Concertina.Compute.Model.Cpu;

/// <summary>
/// How a matrix product is cut into chunks: blocks of rows, and within them runs of tiles. A chunk reads enough weights to
/// be worth claiming, and so few rows that their activations stay in the second-level cache.
/// </summary>
internal readonly struct ProductGrid
{
    private const int RowsPerChunk = 64;
    private const long BytesPerChunk = 32 << 10;

    private readonly int _rows;
    private readonly int _tilesPerChunk;
    private readonly int _runs;
    private readonly int _tiles;

    /// <summary>Cuts a product.</summary>
    /// <param name="rows">Rows of activations.</param>
    /// <param name="tiles">Tiles of all matrices.</param>
    /// <param name="tileBytes">Bytes of a tile.</param>
    public ProductGrid(int rows, int tiles, long tileBytes)
    {
        _rows = rows;
        _tiles = tiles;
        _tilesPerChunk = (int)Math.Clamp(BytesPerChunk / Math.Max(tileBytes, 1), 1, Math.Max(tiles, 1));
        _runs = (tiles + _tilesPerChunk - 1) / _tilesPerChunk;
    }

    /// <summary>Chunks.</summary>
    public int ChunkCount => _runs * ((_rows + RowsPerChunk - 1) / RowsPerChunk);

    /// <summary>Most rows of a chunk.</summary>
    public static int MaxRows => RowsPerChunk;

    /// <summary>Rows of a chunk.</summary>
    public RowRange Rows(int chunk)
    {
        int first = chunk / _runs * RowsPerChunk;
        return new(first, Math.Min(RowsPerChunk, _rows - first));
    }

    /// <summary>First tile of a chunk, and the tile after its last.</summary>
    public (int First, int End) Tiles(int chunk)
    {
        int first = chunk % _runs * _tilesPerChunk;
        return (first, Math.Min(first + _tilesPerChunk, _tiles));
    }
}
