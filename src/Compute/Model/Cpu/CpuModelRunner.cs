using Concertina.Compute.Attention;
using Concertina.Compute.Attention.Lanes;
using Concertina.Compute.Kernels;
using Concertina.Compute.Kernels.Matrices;
using Concertina.Compute.Kernels.Matrices.Q8;
using Concertina.Compute.KvCache;
using Concertina.Compute.Threading;

namespace Concertina.Compute.Model.Cpu;

/// <summary>
/// The forward pass on CPU cores. Weights are packed once; activations are allocated once; every product, sum and
/// exponential of a row is computed in one fixed order on every kernel path, so that the whole CPU is one determinism class.
/// </summary>
public sealed class CpuModelRunner : IModelRunner
{
    private const int HashPrefixLength = 16;

    private readonly PackedModel _model;
    private readonly StepBuffers _buffers;
    private readonly WorkPool _pool;
    private readonly PagedAttention _attention;
    private readonly CpuRunnerOptions _options;
    private readonly EmbedJob _embed;
    private readonly NormJob _norm;
    private readonly QkvJob _qkv;
    private readonly WriteJob _write;
    private readonly QuantiseJob _quantiseAttended;
    private readonly ResidualJob _residual;
    private readonly GateUpJob _gateUp;
    private readonly LogitRows _logitRows;
    private readonly FinalNormJob _finalNorm;
    private readonly HeadJob _head;

    private CpuModelRunner(ModelSource source, PagedKvCache cache, CpuRunnerOptions options)
    {
        KernelPath path = options.Path ?? KernelPaths.Best;
        Config = source.Config;
        _options = options;
        try
        {
            _model = PackedModel.Pack(source, path);
            _buffers = new(source, options, _model.AnyQuantised ? Q8Matrix.FormFor(path) : ActivationForm.Float);
            _attention = new(cache, options.MaxStepRows, options.ThreadCount, options.Path is null ? VectorPaths.Best : VectorPaths.Of(path));
            _embed = new(_model.Embedding, _buffers);
            _norm = new(_buffers, Config.RmsEpsilon);
            _qkv = new(_buffers, Config);
            _write = new(cache, _buffers);
            _quantiseAttended = new(_buffers.Attended);
            _residual = new(_buffers);
            _gateUp = new(_buffers);
            _logitRows = new(_buffers);
            _finalNorm = new(_buffers, _model.OutputNorm, Config.RmsEpsilon);
            _head = new(_model.Head, _buffers);
            DeterminismClass = $"{cache.Pages.Codec}kv+{_model.Formats}+cpu-{source.ContentHash[..HashPrefixLength]}";
            _pool = new(options.ThreadCount); // last, because its threads wait for work from now on
        }
        catch
        {
            _buffers?.Dispose();
            _model?.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public ModelConfig Config { get; }

    /// <inheritdoc/>
    public string DeterminismClass { get; }

    /// <inheritdoc/>
    public long WeightBytes => _model.ByteCount;

    /// <inheritdoc/>
    public long ScratchBytes => _buffers.ByteCount;

    /// <inheritdoc/>
    public int MaxRows => _options.MaxStepRows;

    /// <inheritdoc/>
    public int MaxLogitRows => _options.MaxLogitRows;

    /// <summary>
    /// What <see cref="ScratchBytes"/> of a runner will be, for budgets that are set before it is made; a little more if no
    /// weight of the model is quantised.
    /// </summary>
    public static long ScratchBytesFor(ModelConfig config, CpuRunnerOptions options)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(options);
        return StepBuffers.BytesFor(config, options, Q8Matrix.FormFor(options.Path ?? KernelPaths.Best));
    }

    /// <summary>What the cache was offered of a span's rows in the last layer of the last step; for tests.</summary>
    internal KvRows LastRowsOf(StepSpan span) => _buffers.RowsOf(span);

    /// <summary>Packs a model's weights and allocates everything a step needs. The source may be disposed afterwards.</summary>
    /// <param name="source">The model.</param>
    /// <param name="cache">Cache that holds the sequences' keys and values, of the model's shape.</param>
    /// <param name="options">Sizes.</param>
    /// <exception cref="ModelFileException">A weight of a model file is not finite.</exception>
    /// <exception cref="ArgumentException">The cache has another shape, or the machine lacks the kernel path.</exception>
    public static CpuModelRunner Create(ModelSource source, PagedKvCache cache, CpuRunnerOptions options)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(cache);
        ArgumentNullException.ThrowIfNull(options);
        KvShape shape = source.Config.ToKvShape();
        if (cache.Shape != shape)
        {
            throw new ArgumentException($"The cache is made for {cache.Shape}, the model needs {shape}.", nameof(cache));
        }
        if (options.Path is { } path && !KernelPaths.IsSupported(path))
        {
            throw new ArgumentException($"This machine has no {path}; the fastest path it has is {KernelPaths.Best}.", nameof(options));
        }
        return new(source, cache, options);
    }

    /// <inheritdoc/>
    public void Forward(StepBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        if (batch.RowCount == 0)
        {
            return;
        }
        Check(batch);
        _attention.Plan(batch);
        _embed.For(batch).Run(_pool, batch.RowCount);
        for (int layer = 0; layer < _model.Layers.Length - 1; layer++)
        {
            Store(batch, layer);
            Attend(layer);
            Transform(_model.Layers[layer], batch.RowCount);
        }
        int last = _model.Layers.Length - 1;
        Store(batch, last);
        if (batch.LogitRowCount == 0)
        {
            return;
        }
        Attend(last);
        // What the last layer makes of the other rows nobody reads.
        _logitRows.Gather(batch);
        Transform(_model.Layers[last], batch.LogitRowCount);
        _finalNorm.Run(_pool, batch.LogitRowCount);
        _head.Run(_pool, batch);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _pool.Dispose();
        _buffers.Dispose();
        _model.Dispose();
    }

    // Queries, keys and values of a layer; keys and values go to the cache.
    private void Store(StepBatch batch, int layer)
    {
        LayerWeights weights = _model.Layers[layer];
        _norm.With(weights.AttentionNorm).Run(_pool, batch.RowCount);
        _qkv.Run(_pool, weights, batch.RowCount);
        _write.Run(_pool, batch, layer);
    }

    private void Attend(int layer)
    {
        _attention.Begin(layer, _buffers.Queries, _buffers.Attended.Memory);
        _pool.Run(_attention, _attention.ChunkCount);
        _attention.Complete();
    }

    // Attention output and feed-forward, added to the stream.
    private void Transform(LayerWeights weights, int rows)
    {
        _quantiseAttended.Run(_pool, rows);
        _residual.Run(_pool, weights.AttentionOutput, _buffers.Attended, rows);
        _norm.With(weights.FeedForwardNorm).Run(_pool, rows);
        _gateUp.Run(_pool, weights, rows);
        _residual.Run(_pool, weights.Down, _buffers.Hidden, rows);
    }

    private void Check(StepBatch batch)
    {
        if (batch.RowCount > _options.MaxStepRows || batch.LogitRowCount > _options.MaxLogitRows)
        {
            throw new ArgumentException(
                $"The step has {batch.RowCount} rows and {batch.LogitRowCount} logit rows; the runner is made for " +
                $"{_options.MaxStepRows} and {_options.MaxLogitRows}.",
                nameof(batch));
        }
        foreach (StepSpan span in batch.Spans)
        {
            if (span.FirstPosition + span.RowCount > span.Table.ReservedTokens)
            {
                throw new ArgumentException(
                    $"A span ends at position {span.FirstPosition + span.RowCount}, but its table has slots for {span.Table.ReservedTokens} tokens.",
                    nameof(batch));
            }
        }
        foreach (int token in batch.Tokens)
        {
            if ((uint)token >= (uint)Config.VocabularySize)
            {
                throw new ArgumentException($"Token id {token} is not in 0 to {Config.VocabularySize - 1}.", nameof(batch));
            }
        }
    }
}
