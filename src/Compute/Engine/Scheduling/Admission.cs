using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Transcoding;

namespace Concertina.Compute.Engine.Scheduling;

/// <summary>
/// Moves requests from the queue to the running ones while their commitments fit, and takes over what the sequence or the
/// prefix cache already holds of the prompt. Engine thread only.
/// </summary>
internal sealed class Admission(EngineState state)
{
    private readonly Func<Run, bool> _fits = run => state.Ledger.CanAdmit(run) && state.Wakes.TryWake(run);
    private bool _stale = true;

    /// <summary>Something changed that may let a request in.</summary>
    public void Look() => _stale = true;

    /// <returns>True when a request was admitted.</returns>
    public bool Admit()
    {
        bool admitted = false;
        _stale |= state.Wakes.Count > 0;
        while (_stale)
        {
            Run? next = state.Running.Count < state.Options.MaxRunning ? state.Queue.Next(_fits) : null;
            if (next is null)
            {
                _stale = false;
                break;
            }
            Start(next);
            admitted = true;
        }
        return admitted;
    }

    // Step 5 of the request's life begins.
    private void Start(Run run)
    {
        Sequence sequence = run.Sequence;
        state.Queue.Remove(run);
        state.Intake.LeaveQueue();
        state.Ledger.Admit(run);
        state.Running.Add(run);
        state.Idle.Remove(sequence);
        run.State = RunState.Running;
        sequence.Running = true;
        state.Wakes.Forget(run);
        int cached = Reuse(sequence, run);
        SetRung(sequence, run);
        cached = Cover(run, cached);
        sequence.Tokens.EnsureCapacity(run.Bounds.FirstTokens);
        sequence.Tokens.Replace(run.Spec.Prompt.Span);
        state.Undos.Review(sequence);
        sequence.PublishTable();
        run.Stream.SetCached(cached);
        run.PublishedColumns = cached / KvShape.PageTokens;
        run.PromptLeft = run.Spec.Prompt.Length - cached;
        run.Tenant.Promised += run.PromptLeft / run.Spec.Weight;
    }

    /// <summary>
    /// Keeps the longest common prefix of the sequence's tokens and the prompt, or what the prefix cache has if that is
    /// more; the last prompt token is always computed, because its logits are needed.
    /// </summary>
    /// <returns>Prompt tokens that need not be computed.</returns>
    private int Reuse(Sequence sequence, Run run)
    {
        ReadOnlySpan<int> prompt = run.Spec.Prompt.Span;
        int deepest = run.Bounds.DeepestRung;
        PrefixScope scope = sequence.Identity.Scope;
        if (sequence.Table is { } warm)
        {
            int common = sequence.Tokens.Span.CommonPrefixLength(prompt);
            int usable = Math.Min(common, warm.ReachedRung > deepest || !state.Curve.LeadsTo(warm.ReachedRung, deepest) ? warm.ExactTokens : warm.TokenCount);
            int kept = Math.Min(usable, prompt.Length - 1);
            if (state.Cache.MatchLength(scope, prompt, deepest) <= kept && state.Cache.Truncate(warm, kept) is int left and > 0)
            {
                return left;
            }
            state.Slots.Release(sequence);
        }
        PageTable table = state.Cache.CreateTable(sequence.Meter!.Account);
        sequence.Table = table;
        return state.Cache.Adopt(table, scope, prompt, deepest);
    }

    /// <summary>
    /// A run that starts on its floor may have found more reused columns in 16 bit than that covers until they
    /// are squeezed: it is then promised what they take losslessly, or, where that cannot be had, reuses fewer.
    /// </summary>
    private int Cover(Run run, int cached)
    {
        PageTable table = run.Table;
        int pending = state.Commitments.PendingColumns;
        if (run.Bounds.Rung == 0 || run.Bounds.Rung < run.Bounds.DeepestRung || Squeezer.PendingColumns(table, table.TokenCount) <= pending
            || state.Ledger.TryExtend(run, run.HeldTokens, state.Commitments.Bytes(run.Bounds.TokenLimit, rung: 0)))
        {
            return cached;
        }
        int covered = Squeezer.SinkColumns + pending + (Squeezer.RecentTokens / KvShape.PageTokens);
        return state.Cache.Truncate(table, Math.Min(cached, covered * KvShape.PageTokens));
    }

    // Its own start rung, or a deeper one it was assigned and still allows.
    private void SetRung(Sequence sequence, Run run)
    {
        (sequence.StartRung, sequence.DeepestRung) = (run.Bounds.Rung, run.Bounds.DeepestRung);
        sequence.Weight = run.Spec.PlanWeight;
        PageTable table = sequence.Table!;
        // A guard may keep what the start rung would hold; the reflex takes that back when memory is short.
        Squeezer.Commit(table, run.Bounds.Rung);
        Squeezer.SetRung(table, sequence.WantedRung);
        run.TranscodedBefore = table.TranscodedUnits;
        if (table.Rung > 0)
        {
            state.Squeezes.Add(sequence);
        }
    }
}
