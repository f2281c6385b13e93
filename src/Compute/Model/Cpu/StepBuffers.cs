using System.Runtime.InteropServices;
using Concertina.Compute.Kernels.Elementwise;
using Concertina.Compute.Kernels.Matrices;
using Concertina.Compute.KvCache;

namespace Concertina.Compute.Model.Cpu;

/// <summary>All activations of a step, allocated once for its largest size.</summary>
internal sealed unsafe class StepBuffers : IDisposable
{
    private readonly float[] _stream;
    private readonly float[] _queries;
    private readonly float[] _keys;
    private readonly float[] _values;
    private readonly float[] _decisions;
    private readonly float[] _branches;
    private readonly int _decisionLength;

    public StepBuffers(ModelSource source, CpuRunnerOptions options, ActivationForm form)
    {
        ModelConfig config = source.Config;
        int rows = options.MaxStepRows;
        EmbeddingLength = config.EmbeddingLength;
        QueryLength = config.QueryHeadCount * config.HeadDim;
        KeyLength = config.KvHeadCount * config.HeadDim;
        _decisionLength = DecisionLength(config);
        _stream = Pinned(rows, EmbeddingLength);
        _queries = Pinned(rows, QueryLength);
        _keys = Pinned(rows, KeyLength);
        _values = Pinned(rows, KeyLength);
        _decisions = Pinned(rows, _decisionLength);
        _branches = Pinned(options.ThreadCount, ProductGrid.MaxRows * PackedMatrix.TileRows);
        Normed = new(rows, EmbeddingLength, form);
        Attended = new(rows, QueryLength, form);
        Hidden = new(rows, config.FeedForwardLength, form);
        Final = new(options.MaxLogitRows, EmbeddingLength, form);
        Rotary = new(config.RopeDim, config.RopeBase, config.RopeLinearFactor, source.RopeFrequencyDivisors.Span, rows);
    }

    public int EmbeddingLength { get; }

    public int QueryLength { get; }

    public int KeyLength { get; }

    /// <summary>Inputs of attention and feed-forward after their norm, [rows, embedding].</summary>
    public ActivationRows Normed { get; }

    /// <summary>Attention output, [rows, query heads * head dim].</summary>
    public ActivationRows Attended { get; }

    /// <summary>Feed-forward activations, [rows, feed-forward].</summary>
    public ActivationRows Hidden { get; }

    /// <summary>Inputs of the head, [logit rows, embedding].</summary>
    public ActivationRows Final { get; }

    /// <summary>Rotation of the step's positions.</summary>
    public Rotary Rotary { get; }

    /// <summary>Queries, [rows, query heads * head dim].</summary>
    public Memory<float> Queries => _queries;

    public float* QueryPointer => Pointer(_queries);

    public float* KeyPointer => Pointer(_keys);

    public float* ValuePointer => Pointer(_values);

    /// <summary>Decision logits of a retrofitted model, [rows, KV heads]; no memory for other models.</summary>
    public float* DecisionPointer => Pointer(_decisions);

    /// <summary>Bytes allocated.</summary>
    public long ByteCount =>
        (_stream.Length + _queries.Length + _keys.Length + _values.Length + _decisions.Length + _branches.Length) * (long)sizeof(float)
        + Normed.ByteCount + Attended.ByteCount + Hidden.ByteCount + Final.ByteCount + Rotary.ByteCount;

    /// <summary>Bytes that buffers of these sizes take.</summary>
    public static long BytesFor(ModelConfig config, CpuRunnerOptions options, ActivationForm form)
    {
        long rows = options.MaxStepRows;
        int queries = config.QueryHeadCount * config.HeadDim;
        int keys = config.KvHeadCount * config.HeadDim;
        long branches = (long)options.ThreadCount * ProductGrid.MaxRows * PackedMatrix.TileRows;
        return (((rows * (config.EmbeddingLength + queries + (2L * keys) + DecisionLength(config))) + branches) * sizeof(float))
            + (rows * ActivationRows.BytesPerRow(config.EmbeddingLength, form))
            + (rows * ActivationRows.BytesPerRow(queries, form))
            + (rows * ActivationRows.BytesPerRow(config.FeedForwardLength, form))
            + (options.MaxLogitRows * ActivationRows.BytesPerRow(config.EmbeddingLength, form))
            + (rows * Rotary.BytesPerRow(config.RopeDim));
    }

    /// <summary>Residual stream of a row.</summary>
    public Span<float> Stream(int row) => _stream.AsSpan(row * EmbeddingLength, EmbeddingLength);

    /// <summary>What the cache is offered of a span's rows, in the layer whose queries, keys and values were computed last.</summary>
    public KvRows RowsOf(StepSpan span) => new()
    {
        FirstPosition = span.FirstPosition,
        RowCount = span.RowCount,
        Keys = Part(_keys, span, KeyLength),
        Values = Part(_values, span, KeyLength),
        Queries = Part(_queries, span, QueryLength),
        Decisions = Part(_decisions, span, _decisionLength),
    };

    /// <summary>A thread's scratch for one tile of a chunk's rows, [rows of the chunk, 32].</summary>
    public float* Branch(int worker) => Pointer(_branches) + (worker * ProductGrid.MaxRows * PackedMatrix.TileRows);

    /// <inheritdoc/>
    public void Dispose()
    {
        Normed.Dispose();
        Attended.Dispose();
        Hidden.Dispose();
        Final.Dispose();
    }

    private static int DecisionLength(ModelConfig config) => config.KvMethod is null ? 0 : config.KvHeadCount;

    private static ReadOnlySpan<float> Part(float[] rows, StepSpan span, int rowLength) =>
        rows.AsSpan(span.FirstRow * rowLength, span.RowCount * rowLength);

    private static float[] Pinned(int rows, int columns) => GC.AllocateArray<float>(checked(rows * columns), pinned: true);

    private static float* Pointer(float[] pinned) => (float*)Marshal.UnsafeAddrOfPinnedArrayElement(pinned, 0);
}
