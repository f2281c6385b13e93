using Concertina.Compute.Kernels.Elementwise;
using Concertina.Compute.Kernels.Matrices;
using Concertina.Compute.Threading;

namespace Concertina.Compute.Model.Cpu;

/// <summary>Work that takes each row by itself; few rows are not worth waking threads for.</summary>
internal abstract class RowJob : IWorkJob
{
    private const int RowsPerChunk = 4;

    private int _rowCount;

    /// <summary>Does all rows, on the pool if there are many.</summary>
    public void Run(WorkPool pool, int rowCount)
    {
        _rowCount = rowCount;
        if (rowCount <= RowsPerChunk)
        {
            Execute(0, 0);
            return;
        }
        pool.Run(this, (rowCount + RowsPerChunk - 1) / RowsPerChunk);
    }

    /// <inheritdoc/>
    public void Execute(int chunk, int worker)
    {
        int end = Math.Min((chunk + 1) * RowsPerChunk, _rowCount);
        for (int row = chunk * RowsPerChunk; row < end; row++)
        {
            Apply(row);
        }
    }

    /// <summary>Does one row.</summary>
    protected abstract void Apply(int row);
}

/// <summary>Starts a step: token embedding into the stream, and the row's rotation.</summary>
internal sealed class EmbedJob(PackedMatrix embedding, StepBuffers buffers) : RowJob
{
    private StepBatch? _batch;

    public EmbedJob For(StepBatch batch)
    {
        _batch = batch;
        return this;
    }

    /// <inheritdoc/>
    protected override void Apply(int row)
    {
        embedding.ReadRow(_batch!.Tokens[row], buffers.Stream(row));
        buffers.Rotary.SetPosition(row, _batch.Positions[row]);
    }
}

/// <summary>RMSNorm of the stream into the input of the next matrices, quantised if they want it.</summary>
internal sealed class NormJob(StepBuffers buffers, float epsilon) : RowJob
{
    private float[] _weight = [];

    public NormJob With(float[] weight)
    {
        _weight = weight;
        return this;
    }

    /// <inheritdoc/>
    protected override void Apply(int row)
    {
        RmsNorm.Apply(buffers.Stream(row), _weight, epsilon, buffers.Normed.Row(row));
        buffers.Normed.Quantise(row);
    }
}

/// <summary>Final norm of the rows that want logits, which lie in front.</summary>
internal sealed class FinalNormJob(StepBuffers buffers, float[] weight, float epsilon) : RowJob
{
    /// <inheritdoc/>
    protected override void Apply(int row)
    {
        RmsNorm.Apply(buffers.Stream(row), weight, epsilon, buffers.Final.Row(row));
        buffers.Final.Quantise(row);
    }
}

/// <summary>Quantises the attention output.</summary>
internal sealed class QuantiseJob(ActivationRows rows) : RowJob
{
    /// <inheritdoc/>
    protected override void Apply(int row) => rows.Quantise(row);
}
