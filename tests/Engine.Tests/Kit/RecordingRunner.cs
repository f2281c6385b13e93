using Concertina.Compute.Model;

namespace Concertina.Engine.Tests.Kit;

/// <summary>Keeps the logits of one sequence, by the position they were computed at.</summary>
/// <param name="inner">The runner that computes.</param>
/// <param name="marker">The first token of the sequence that is looked at; no other one begins so.</param>
internal sealed class RecordingRunner(IModelRunner inner, int marker) : IModelRunner
{
    private readonly HashSet<object> _tables = [];

    public ModelConfig Config => inner.Config;

    public string DeterminismClass => inner.DeterminismClass;

    public long WeightBytes => inner.WeightBytes;

    public long ScratchBytes => inner.ScratchBytes;

    public int MaxRows => inner.MaxRows;

    public int MaxLogitRows => inner.MaxLogitRows;

    public Dictionary<int, float[]> Logits { get; } = [];

    public void Forward(StepBatch batch)
    {
        inner.Forward(batch);
        foreach (StepSpan span in batch.Spans)
        {
            if (span.FirstPosition == 0 && batch.Tokens[span.FirstRow] == marker)
            {
                _tables.Add(span.Table);
            }
            if (span.LogitRowCount == 1 && (_tables.Contains(span.Table) || Follows(span)))
            {
                Logits[span.FirstPosition + span.RowCount - 1] = batch.Logits(span.FirstLogitRow).ToArray();
            }
        }
    }

    /// <summary>The table that took the place of another.</summary>
    public object? Successor { get; set; }

    public void Dispose() => inner.Dispose();

    private bool Follows(in StepSpan span) => span.Table == Successor;
}
