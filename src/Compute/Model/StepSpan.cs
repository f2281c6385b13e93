using Concertina.Compute.KvCache;

namespace Concertina.Compute.Model;

/// <summary>Neighbouring rows of one sequence in a step: one decode row, or a chunk of prefill.</summary>
/// <param name="Table">Page table of the sequence; slots for all rows are reserved.</param>
/// <param name="FirstRow">Index of the span's first row in the batch.</param>
/// <param name="RowCount">Number of rows, at least 1.</param>
/// <param name="FirstPosition">Position of the first row in its sequence; row i has position FirstPosition + i.</param>
/// <param name="FirstLogitRow">Index of the span's first logit row in the batch.</param>
/// <param name="LogitRowCount">How many of the span's last rows want logits; 0 to RowCount.</param>
public readonly record struct StepSpan(
    PageTable Table, int FirstRow, int RowCount, int FirstPosition, int FirstLogitRow, int LogitRowCount);
