using System.Runtime.CompilerServices;
using Concertina.Compute.KvCache;

namespace Concertina.Compute.Model;

/// <summary>
/// The rows of one forward pass: decode rows and prefill chunks of many sequences together. Made once with its largest
/// size and refilled every step without allocating.
/// </summary>
public sealed class StepBatch
{
    private readonly int[] _tokens;
    private readonly int[] _positions;
    private readonly StepSpan[] _spans;
    private readonly float[] _logits;
    private readonly int _vocabularySize;

    /// <summary>Makes an empty batch.</summary>
    /// <param name="maxRows">Most rows of a step.</param>
    /// <param name="maxLogitRows">Most rows that want logits in a step.</param>
    /// <param name="vocabularySize">Logits per row.</param>
    public StepBatch(int maxRows, int maxLogitRows, int vocabularySize)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxRows, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxLogitRows, 0);
        ArgumentOutOfRangeException.ThrowIfLessThan(vocabularySize, 1);
        _tokens = new int[maxRows];
        _positions = new int[maxRows];
        _spans = new StepSpan[maxRows];
        _logits = GC.AllocateUninitializedArray<float>(checked(maxLogitRows * vocabularySize), pinned: true);
        _vocabularySize = vocabularySize;
        MaxLogitRows = maxLogitRows;
    }

    /// <summary>Most rows of a step.</summary>
    public int MaxRows => _tokens.Length;

    /// <summary>Most rows that want logits in a step.</summary>
    public int MaxLogitRows { get; }

    /// <summary>Bytes of the batch, nearly all of them logits.</summary>
    public long Bytes => BytesFor(MaxRows, MaxLogitRows, _vocabularySize);

    /// <summary>Rows filled.</summary>
    public int RowCount { get; private set; }

    /// <summary>Spans filled.</summary>
    public int SpanCount { get; private set; }

    /// <summary>Rows that want logits.</summary>
    public int LogitRowCount { get; private set; }

    /// <summary>Token id of each row, [rows].</summary>
    public ReadOnlySpan<int> Tokens => _tokens.AsSpan(0, RowCount);

    /// <summary>Position of each row in its sequence, [rows].</summary>
    public ReadOnlySpan<int> Positions => _positions.AsSpan(0, RowCount);

    /// <summary>The spans, in row order.</summary>
    public ReadOnlySpan<StepSpan> Spans => _spans.AsSpan(0, SpanCount);

    /// <summary>Bytes of a batch of these sizes.</summary>
    public static long BytesFor(int maxRows, int maxLogitRows, int vocabularySize) =>
        ((long)maxRows * ((2 * sizeof(int)) + Unsafe.SizeOf<StepSpan>())) + ((long)maxLogitRows * vocabularySize * sizeof(float));

    /// <summary>Forgets all rows; keeps the memory.</summary>
    public void Clear()
    {
        Array.Clear(_spans, 0, SpanCount);
        RowCount = 0;
        SpanCount = 0;
        LogitRowCount = 0;
    }

    /// <summary>Adds neighbouring rows of one sequence.</summary>
    /// <param name="table">Page table with slots reserved for all rows.</param>
    /// <param name="firstPosition">Position of the first row.</param>
    /// <param name="tokens">Token ids, at least one.</param>
    /// <param name="logitRows">How many of the last rows want logits.</param>
    /// <returns>Index of the span.</returns>
    /// <exception cref="InvalidOperationException">The batch has no room for the rows or logit rows.</exception>
    public int Add(PageTable table, int firstPosition, ReadOnlySpan<int> tokens, int logitRows)
    {
        ArgumentNullException.ThrowIfNull(table);
        ArgumentOutOfRangeException.ThrowIfZero(tokens.Length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(logitRows, tokens.Length);
        if (RowCount + tokens.Length > MaxRows || LogitRowCount + logitRows > MaxLogitRows)
        {
            throw new InvalidOperationException(
                $"The step has {RowCount} of {MaxRows} rows and {LogitRowCount} of {MaxLogitRows} logit rows; " +
                $"{tokens.Length} rows with {logitRows} logit rows do not fit.");
        }
        tokens.CopyTo(_tokens.AsSpan(RowCount));
        for (int i = 0; i < tokens.Length; i++)
        {
            _positions[RowCount + i] = firstPosition + i;
        }
        _spans[SpanCount] = new StepSpan(table, RowCount, tokens.Length, firstPosition, LogitRowCount, logitRows);
        RowCount += tokens.Length;
        LogitRowCount += logitRows;
        return SpanCount++;
    }

    /// <summary>Logits of one logit row, [vocabulary]; written by the runner, read by the sampler until the next step.</summary>
    public Span<float> Logits(int logitRow) => _logits.AsSpan(logitRow * _vocabularySize, _vocabularySize);
}
