using Concertina.Compute.Engine.Sampling;
using Concertina.Compute.Engine.Scheduling;
using Concertina.Compute.KvCache;
using Concertina.Compute.Model;

namespace Concertina.Compute.Engine;

/// <summary>What becomes of a forward pass: tokens drawn, delivered, columns published, ends settled. Engine thread only.</summary>
internal sealed class StepResults(EngineState state, Settlement settlement, EngineMetrics metrics, int vocabularySize)
{
    private readonly Sampler _sampler = new(vocabularySize);
    private readonly SampledToken[] _sampled = new SampledToken[state.Options.MaxLogitRows];

    /// <summary>Declares the rows written and draws a token where there are logits.</summary>
    public void Sample(StepBatch batch, ReadOnlySpan<Run> runs)
    {
        ReadOnlySpan<StepSpan> spans = batch.Spans;
        for (int i = 0; i < runs.Length; i++)
        {
            StepSpan span = spans[i];
            state.Cache.Commit(span.Table, span.FirstPosition + span.RowCount);
            SampledToken sampled = default;
            if (span.LogitRowCount > 0)
            {
                bool finite = _sampler.TryDraw(
                    batch.Logits(span.FirstLogitRow), runs[i].Spec.Sampling, span.FirstPosition + span.RowCount, out int token);
                sampled = new SampledToken(token, HasLogits: true, finite);
            }
            _sampled[i] = sampled;
        }
    }

    // Step 7 of the request's life.
    /// <summary>Hands the tokens to their readers.</summary>
    /// <returns>Tokens.</returns>
    public int Deliver(ReadOnlySpan<Run> runs)
    {
        int tokens = 0;
        long now = state.Time.GetTimestamp();
        for (int i = 0; i < runs.Length; i++)
        {
            Run run = runs[i];
            if (!_sampled[i].IsToken)
            {
                continue;
            }
            int token = _sampled[i].Token;
            run.Sequence.Tokens.Add(token);
            run.Generated++;
            tokens++;
            if (run.LastTokenAt is { } last)
            {
                metrics.Token(state.Time.GetElapsedTime(last, now));
            }
            run.LastTokenAt = now;
            if (!run.Spec.StopTokens.Span.Contains(token))
            {
                run.Stream.Write(token);
            }
        }
        return tokens;
    }

    /// <summary>Offers new full columns, once logits computed over them were seen to be finite.</summary>
    public void Publish(ReadOnlySpan<Run> runs)
    {
        for (int i = 0; i < runs.Length; i++)
        {
            Run run = runs[i];
            int columns = run.Table.TokenCount / KvShape.PageTokens;
            if (_sampled[i].IsToken && columns > run.PublishedColumns)
            {
                run.PublishedColumns = columns;
                Sequence sequence = run.Sequence;
                state.Cache.Publish(run.Table, sequence.Identity.Scope, sequence.Tokens.Span);
            }
        }
    }

    /// <summary>Ends what has ended.</summary>
    public void Settle(ReadOnlySpan<Run> runs)
    {
        for (int i = 0; i < runs.Length; i++)
        {
            Run run = runs[i];
            SampledToken sampled = _sampled[i];
            if (state.Cache.Interior.HasWork(run.Table))
            {
                state.Squeezes.Add(run.Sequence);
            }
            run.Sequence.PublishTable();
            if (sampled.HasLogits && !sampled.Finite)
            {
                settlement.End(run, RunErrors.NotFinite(run));
            }
            else if (sampled.IsToken && run.Spec.StopTokens.Span.Contains(sampled.Token))
            {
                settlement.End(run, new RunOutcome(FinishKind.Stop) { StopToken = sampled.Token });
            }
            else if (sampled.IsToken && run.Sequence.Tokens.Count >= run.Bounds.TokenLimit)
            {
                settlement.End(run, run.Bounds.EndsAtBudget ? RunErrors.BudgetExhausted(run, state) : RunOutcome.Length);
            }
        }
    }
}
