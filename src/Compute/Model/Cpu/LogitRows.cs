namespace Concertina.Compute.Model.Cpu;

/// <summary>Moves the rows that want logits to the front once the last layer has attended, so that the rest of it runs for them alone.</summary>
internal sealed class LogitRows(StepBuffers buffers)
{
    /// <summary>Row i of the stream and of the attention output becomes that of logit row i.</summary>
    public void Gather(StepBatch batch)
    {
        if (batch.LogitRowCount == batch.RowCount)
        {
            return;
        }
        foreach (StepSpan span in batch.Spans)
        {
            int first = span.FirstRow + span.RowCount - span.LogitRowCount;
            for (int i = 0; i < span.LogitRowCount; i++)
            {
                Move(first + i, span.FirstLogitRow + i);
            }
        }
    }

    // Logit rows are in the order of rows, so that a row moves down only, onto one that was moved before or wants no logits.
    private void Move(int from, int to)
    {
        if (from != to)
        {
            buffers.Stream(from).CopyTo(buffers.Stream(to));
            buffers.Attended.Row(from).CopyTo(buffers.Attended.Row(to));
        }
    }
}
