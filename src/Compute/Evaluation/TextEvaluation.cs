using Concertina.Compute.KvCache;

namespace Concertina.Compute.Evaluation;

/// <summary>
/// Runs a text through the lossless rung and all others in lockstep, in one batch, and compares the predictions at every
/// position. Each rung's sequence is squeezed as it grows, as a live session is, so early positions, where nothing has left
/// the recent window, are not counted.
/// </summary>
public sealed class TextEvaluation(EvaluationRig rig)
{
    /// <summary>Positions from here on count: the first page and the recent window before them are exact on any rung.</summary>
    public const int FirstPosition = 256;

    /// <summary>Compares one window of text.</summary>
    /// <param name="tokens">The window.</param>
    /// <param name="cancellation">Cancels between steps.</param>
    /// <returns>Samples of the lossless rung, then of each rung of the rig; their mean is NaN where logits are no numbers.</returns>
    /// <exception cref="InvalidOperationException">The budget is too small.</exception>
    public DivergenceSamples[] Run(ReadOnlyMemory<int> tokens, CancellationToken cancellation) =>
        Run(tokens, [.. Enumerable.Range(1, rig.Rungs.Count)], cancellation);

    /// <summary>Compares one window of text on the lossless rung and some others.</summary>
    /// <param name="tokens">The window.</param>
    /// <param name="rungs">Indices of the others in the cache, each above 0; with the lossless one not more than rows in a step.</param>
    /// <param name="cancellation">Cancels between steps.</param>
    /// <returns>Samples of the lossless rung, then of each of the others.</returns>
    internal DivergenceSamples[] Run(ReadOnlyMemory<int> tokens, IReadOnlyList<int> rungs, CancellationToken cancellation)
    {
        PageTable[] tables = [.. rungs.Prepend(0).Select(rig.NewTable)];
        int chunk = Math.Min(rig.Settings.ChunkTokens, rig.MaxRows / tables.Length);
        ArgumentOutOfRangeException.ThrowIfZero(chunk, nameof(rungs));
        DivergenceSamples[] samples = [.. tables.Select(_ => new DivergenceSamples())];
        try
        {
            for (int from = 0; from < tokens.Length; from += chunk)
            {
                cancellation.ThrowIfCancellationRequested();
                int count = Math.Min(chunk, tokens.Length - from);
                rig.Clear();
                foreach (PageTable table in tables)
                {
                    rig.Add(table, tokens.Span.Slice(from, count), count);
                }
                rig.Run();
                Compare(tokens, from, count, samples);
            }
            return samples;
        }
        finally
        {
            rig.Clear();
            Array.ForEach(tables, rig.Cache.Release);
        }
    }

    private void Compare(ReadOnlyMemory<int> tokens, int from, int count, DivergenceSamples[] samples)
    {
        var positions = new PositionDivergence[samples.Length * count];
        Parallel.For(0, positions.Length, new ParallelOptions { MaxDegreeOfParallelism = rig.Settings.ThreadCount }, at =>
        {
            (int rung, int row) = Math.DivRem(at, count);
            int next = from + row + 1;
            ReadOnlySpan<float> lossless = rig.Batch.Logits(row);
            ReadOnlySpan<float> logits = rig.Batch.Logits((rung * count) + row);
            positions[at] = new PositionDivergence(
                rung == 0 ? 0 : LogitDivergence.Kl(lossless, logits),
                next < tokens.Length ? LogitDivergence.NegativeLogLikelihood(logits, tokens.Span[next]) : null,
                rung == 0 || LogitDivergence.Argmax(lossless) == LogitDivergence.Argmax(logits));
        });
        for (int at = 0; at < positions.Length; at++)
        {
            (int rung, int row) = Math.DivRem(at, count);
            if (from + row >= FirstPosition)
            {
                samples[rung].Add(positions[at]);
            }
        }
    }
}
