using Concertina.Compute.Kernels.Elementwise;
using Concertina.Compute.Kernels.Matrices;
using Concertina.Compute.Threading;

namespace Concertina.Compute.Model.Cpu;

/// <summary>Queries, keys and values of a layer in one job; queries and keys are rotated while their tile is warm.</summary>
internal sealed unsafe class QkvJob(StepBuffers buffers, ModelConfig config) : IWorkJob
{
    private readonly DecisionNeurons? _decisions = DecisionNeurons.Of(config, buffers);
    private ProductGrid _grid;
    private LayerWeights? _layer;

    public void Run(WorkPool pool, LayerWeights layer, int rows)
    {
        _layer = layer;
        int tiles = layer.Query.TileCount + layer.Key.TileCount + layer.Value.TileCount;
        _grid = new(rows, tiles, layer.Query.ByteCount / layer.Query.TileCount);
        pool.Run(this, _grid.ChunkCount);
    }

    /// <inheritdoc/>
    public void Execute(int chunk, int worker)
    {
        RowRange rows = _grid.Rows(chunk);
        (int first, int end) = _grid.Tiles(chunk);
        for (int tile = first; tile < end; tile++)
        {
            int queries = _layer!.Query.TileCount;
            int keys = queries + _layer.Key.TileCount;
            if (tile < queries)
            {
                Multiply(_layer.Query, rows, tile, buffers.QueryPointer);
                _decisions?.Decide(rows, tile);
                Rotate(_layer.Query, rows, tile, buffers.QueryPointer);
                _decisions?.Clear(rows, tile);
            }
            else if (tile < keys)
            {
                Multiply(_layer.Key, rows, tile - queries, buffers.KeyPointer);
                Rotate(_layer.Key, rows, tile - queries, buffers.KeyPointer);
            }
            else
            {
                Multiply(_layer.Value, rows, tile - keys, buffers.ValuePointer);
            }
        }
    }

    private void Multiply(PackedMatrix matrix, RowRange rows, int tile, float* output) =>
        matrix.Multiply(buffers.Normed, rows, tile, output, matrix.Rows);

    private void Rotate(PackedMatrix matrix, RowRange rows, int tile, float* output)
    {
        int first = tile * PackedMatrix.TileRows;
        int count = Math.Min(PackedMatrix.TileRows, matrix.Rows - first);
        for (int row = rows.First; row < rows.First + rows.Count; row++)
        {
            buffers.Rotary.Rotate(row, new Span<float>(output + ((long)row * matrix.Rows) + first, count), first % config.HeadDim, config.HeadDim);
        }
    }
}

/// <summary>A product that is added to the residual stream: attention output, feed-forward down.</summary>
internal sealed unsafe class ResidualJob(StepBuffers buffers) : IWorkJob
{
    private ProductGrid _grid;
    private PackedMatrix? _matrix;
    private ActivationRows? _input;

    public void Run(WorkPool pool, PackedMatrix matrix, ActivationRows input, int rows)
    {
        _matrix = matrix;
        _input = input;
        _grid = new(rows, matrix.TileCount, matrix.ByteCount / matrix.TileCount);
        pool.Run(this, _grid.ChunkCount);
    }

    /// <inheritdoc/>
    public void Execute(int chunk, int worker)
    {
        RowRange rows = _grid.Rows(chunk);
        (int first, int end) = _grid.Tiles(chunk);
        float* branch = buffers.Branch(worker);
        for (int tile = first; tile < end; tile++)
        {
            int column = tile * PackedMatrix.TileRows;
            int count = Math.Min(PackedMatrix.TileRows, _matrix!.Rows - column);
            // The tile goes to scratch whose row 0 is the chunk's first row and whose column 0 is the tile's first.
            float* origin = branch - (rows.First * PackedMatrix.TileRows) - column;
            _matrix.Multiply(_input!, rows, tile, origin, PackedMatrix.TileRows);
            for (int i = 0; i < rows.Count; i++)
            {
                Residual.Add(
                    buffers.Stream(rows.First + i).Slice(column, count),
                    new ReadOnlySpan<float>(branch + (i * PackedMatrix.TileRows), count));
            }
        }
    }
}

/// <summary>Gate and up projections, SwiGLU, and the quantised copy of its result, tile by tile: a tile is one block of 32.</summary>
internal sealed unsafe class GateUpJob(StepBuffers buffers) : IWorkJob
{
    private ProductGrid _grid;
    private LayerWeights? _layer;

    public void Run(WorkPool pool, LayerWeights layer, int rows)
    {
        _layer = layer;
        _grid = new(rows, layer.Gate.TileCount, (layer.Gate.ByteCount + layer.Up.ByteCount) / layer.Gate.TileCount);
        pool.Run(this, _grid.ChunkCount);
    }

    /// <inheritdoc/>
    public void Execute(int chunk, int worker)
    {
        RowRange rows = _grid.Rows(chunk);
        (int first, int end) = _grid.Tiles(chunk);
        float* branch = buffers.Branch(worker);
        ActivationRows hidden = buffers.Hidden;
        for (int tile = first; tile < end; tile++)
        {
            int column = tile * PackedMatrix.TileRows;
            int count = Math.Min(PackedMatrix.TileRows, hidden.Columns - column);
            _layer!.Gate.Multiply(buffers.Normed, rows, tile, hidden.Values, hidden.Columns);
            _layer.Up.Multiply(buffers.Normed, rows, tile, branch - (rows.First * PackedMatrix.TileRows) - column, PackedMatrix.TileRows);
            for (int i = 0; i < rows.Count; i++)
            {
                int row = rows.First + i;
                SwiGlu.Apply(hidden.Row(row).Slice(column, count), new ReadOnlySpan<float>(branch + (i * PackedMatrix.TileRows), count));
                hidden.Quantise(row, tile, 1);
            }
        }
    }
}

/// <summary>Logits of the rows that want them.</summary>
internal sealed unsafe class HeadJob(PackedMatrix head, StepBuffers buffers) : IWorkJob
{
    private ProductGrid _grid;
    private float* _logits;

    public void Run(WorkPool pool, StepBatch batch)
    {
        _grid = new(batch.LogitRowCount, head.TileCount, head.ByteCount / head.TileCount);
        fixed (float* logits = batch.Logits(0))
        {
            _logits = logits;
            pool.Run(this, _grid.ChunkCount);
        }
    }

    /// <inheritdoc/>
    public void Execute(int chunk, int worker)
    {
        (int first, int end) = _grid.Tiles(chunk);
        for (int tile = first; tile < end; tile++)
        {
            head.Multiply(buffers.Final, _grid.Rows(chunk), tile, _logits, head.Rows);
        }
    }
}
