using Concertina.Compute.KvCache;
using Concertina.Compute.Model;

namespace Concertina.Engine.Tests.Kit;

/// <summary>
/// Runs <see cref="HashModel"/> over the real cache: writes token and position of each row as K and V, and computes logits
/// from what it reads back from the page table, never from what it was told before.
/// </summary>
internal sealed class FakeRunner(PagedKvCache cache, int vocabularySize = HashModel.VocabularySize, int contextLength = HashModel.ContextLength)
    : IModelRunner
{
    public static readonly KvShape Shape = new(2, 2, 1, 16);

    private readonly float[] _keys = new float[KvShape.PageTokens * Shape.HeadDim];
    private readonly float[] _values = new float[KvShape.PageTokens * Shape.HeadDim];
    private readonly float[] _rows = new float[4096 * Shape.KvHeadCount * Shape.HeadDim];

    public ModelConfig Config { get; } = new()
    {
        Architecture = "fake",
        Name = "hash",
        LayerCount = Shape.LayerCount,
        EmbeddingLength = 32,
        FeedForwardLength = 32,
        QueryHeadCount = Shape.KvHeadCount,
        KvHeadCount = Shape.KvHeadCount,
        HeadDim = Shape.HeadDim,
        RopeDim = Shape.HeadDim,
        RopeBase = 10_000,
        RmsEpsilon = 1e-5f,
        VocabularySize = vocabularySize,
        ContextLength = contextLength,
        TiedHead = true,
    };

    public string DeterminismClass => "fake";

    public long WeightBytes => 0;

    public long ScratchBytes => 0;

    public int MaxRows { get; init; } = 4096; // what its buffer of rows holds

    public int MaxLogitRows { get; init; } = 4096;

    /// <summary>Rows of each step so far: decode spans and prompt rows.</summary>
    public List<(int Spans, int Rows)> Steps { get; } = [];

    /// <summary>False for tests that count allocations.</summary>
    public bool Records { get; set; } = true;

    /// <summary>False: logits are a hash of the position alone, and nothing is read back; for tests that count allocations.</summary>
    public bool ReadsBack { get; set; } = true;

    /// <summary>Changes the logits of a span, to play a fault.</summary>
    public Action<StepSpan, Memory<float>>? Spoil { get; set; }

    /// <summary>Runs before a step, to play a fault or to block.</summary>
    public Action<StepBatch>? Before { get; set; }

    public void Forward(StepBatch batch)
    {
        Before?.Invoke(batch);
        if (Records)
        {
            Steps.Add((batch.SpanCount, batch.RowCount));
        }
        foreach (StepSpan span in batch.Spans)
        {
            Write(span, batch.Tokens.Slice(span.FirstRow, span.RowCount));
        }
        foreach (StepSpan span in batch.Spans)
        {
            for (int i = 0; i < span.LogitRowCount; i++)
            {
                int position = span.FirstPosition + span.RowCount - span.LogitRowCount + i;
                Span<float> logits = batch.Logits(span.FirstLogitRow + i);
                HashModel.Logits(ReadsBack ? HashOf(span.Table, position + 1) : (ulong)position, logits);
                if (Spoil is not null)
                {
                    float[] copy = logits.ToArray();
                    Spoil(span, copy);
                    copy.CopyTo(logits);
                }
            }
        }
    }

    public void Dispose()
    {
    }

    private void Write(StepSpan span, ReadOnlySpan<int> tokens)
    {
        int width = Shape.KvHeadCount * Shape.HeadDim;
        Span<float> rows = _rows.AsSpan(0, tokens.Length * width);
        for (int i = 0; i < rows.Length; i++)
        {
            rows[i] = (i % 2 == 0) ? tokens[i / width] : span.FirstPosition + (i / width); // integers below 2048 are exact
        }
        for (int layer = 0; layer < Shape.LayerCount; layer++)
        {
            cache.Write(span.Table, layer, new KvRows { FirstPosition = span.FirstPosition, RowCount = tokens.Length, Keys = rows, Values = rows });
        }
    }

    private ulong HashOf(PageTable table, int tokens)
    {
        ulong hash = 0;
        int head = tokens % Shape.HeadCount; // any head must do
        for (int position = 0; position < tokens; position++)
        {
            int slot = position % KvShape.PageTokens;
            if (slot == 0)
            {
                cache.Pages.Decode(table, head, position / KvShape.PageTokens, _keys, _values);
            }
            int at = slot * Shape.HeadDim;
            hash = HashModel.Add(hash, (int)_keys[at], (int)_values[at + 1]);
        }
        return hash;
    }
}
