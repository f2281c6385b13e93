using Concertina.Compute.KvCache;
using Concertina.Compute.Model;

namespace Concertina.Compute.Engine.Scheduling;

/// <summary>
/// Fills a step: decode rows first, then prompt chunks, both in fair order between tenants. Where prompts wait, an eighth
/// of the step is theirs, so a full house of streams cannot starve them. Sequences that cannot move (ring full, no
/// memory) are passed over and keep their place. Allocates nothing; engine thread only.
/// </summary>
internal sealed class Scheduler(FairClocks clocks, SlotReserve slots, int maxRunning)
{
    private const int PrefillShareDivisor = 8;

    private readonly Run[] _decodes = new Run[maxRunning];
    private readonly long[] _lastSteps = new long[maxRunning];
    private readonly Run[] _scheduled = new Run[maxRunning];
    private long _step;

    /// <summary>Runs that waited for memory in the step filled last.</summary>
    public int WaitingRuns { get; private set; }

    /// <summary>Of those, runs that bytes would let go on.</summary>
    public int ShortRuns { get; private set; }

    /// <summary>Times a run had to compute tokens that it had computed before; always 0 unless there is a bug.</summary>
    public long Preemptions { get; private set; }

    /// <summary>Rows of prompts in the step filled last.</summary>
    public int PrefillRows { get; private set; }

    /// <summary>Run of each span of the step filled last.</summary>
    public ReadOnlySpan<Run> Scheduled(int spanCount) => _scheduled.AsSpan(0, spanCount);

    public void Fill(StepBatch batch, List<Run> running, long now)
    {
        batch.Clear();
        _step++;
        WaitingRuns = ShortRuns = PrefillRows = 0;
        int decodes = 0;
        bool prefills = false;
        foreach (Run run in running)
        {
            if (!run.Decodes)
            {
                prefills = true;
            }
            else if (CanDeliver(run, now))
            {
                _decodes[decodes++] = run;
            }
        }
        AddDecodes(batch, _decodes.AsSpan(0, decodes), batch.MaxRows - PrefillShare(batch.MaxRows, prefills), now);
        if (prefills)
        {
            AddPrefills(batch, running, now);
        }
        Array.Clear(_decodes, 0, decodes);
    }

    private static bool CanDeliver(Run run, long now)
    {
        bool blocked = run.Stream.BlockWhileFull();
        run.BlockedSince = blocked ? run.BlockedSince ?? now : null;
        return !blocked;
    }

    // A step of one row alternates.
    private int PrefillShare(int maxRows, bool prefills) => !prefills ? 0
        : maxRows == 1 ? (int)(_step & 1)
        : Math.Max(1, maxRows / PrefillShareDivisor);

    private void AddDecodes(StepBatch batch, Span<Run> decodes, int mostRows, long now)
    {
        if (decodes.Length <= mostRows)
        {
            foreach (Run run in decodes)
            {
                TryAdd(batch, run, 1, now);
            }
            return;
        }
        Span<long> lastSteps = _lastSteps.AsSpan(0, decodes.Length);
        for (int i = 0; i < decodes.Length; i++)
        {
            lastSteps[i] = decodes[i].LastStep;
        }
        lastSteps.Sort(decodes);
        foreach (Run run in decodes)
        {
            AddCandidate(run);
        }
        while (batch.RowCount < mostRows && clocks.NextWithCandidate() is { } tenant)
        {
            TryAdd(batch, TakeCandidate(tenant), 1, now);
        }
        DropCandidates();
    }

    private void AddPrefills(StepBatch batch, List<Run> running, long now)
    {
        foreach (Run run in running)
        {
            if (!run.Decodes)
            {
                AddCandidate(run);
            }
        }
        while (batch.RowCount < batch.MaxRows && clocks.NextWithCandidate() is { } tenant)
        {
            Run run = TakeCandidate(tenant);
            int rows = Math.Min(run.Pending, batch.MaxRows - batch.RowCount);
            if (TryAdd(batch, run, rows, now))
            {
                PrefillRows += rows;
            }
        }
        DropCandidates();
    }

    private bool TryAdd(StepBatch batch, Run run, int rows, long now)
    {
        if (!slots.TryPrepare(run, rows))
        {
            if (run.WaitsForSqueeze)
            {
                run.WaitingSince ??= now; // bounded like a wait for memory; the squeeze after the step lets it go on
                return false;
            }
            run.WaitingSince ??= now;
            run.Waits++;
            WaitingRuns++;
            ShortRuns += run.WaitsForPromise ? 0 : 1;
            return false;
        }
        run.WaitingSince = null;
        run.LastStep = _step;
        PageTable table = run.Table;
        int span = batch.Add(
            table, table.TokenCount, run.Sequence.Tokens.Span.Slice(table.TokenCount, rows), rows == run.Pending ? 1 : 0);
        _scheduled[span] = run;
        Preemptions += table.TokenCount < run.ComputedTokens ? 1 : 0;
        run.ComputedTokens = table.TokenCount + rows;
        Charge(run, rows);
        return true;
    }

    private static void Charge(Run run, int rows)
    {
        double cost = rows / run.Spec.Weight;
        run.Tenant.Served += cost;
        run.Tenant.Rows += rows;
        run.Tenant.Weight = run.Spec.Weight;
        if (run.PromptLeft > 0)
        {
            run.PromptLeft -= rows;
            run.Tenant.Promised -= cost;
        }
    }

    private static void AddCandidate(Run run)
    {
        TenantClock tenant = run.Tenant;
        run.NextCandidate = null;
        if (tenant.LastCandidate is null)
        {
            tenant.FirstCandidate = run;
        }
        else
        {
            tenant.LastCandidate.NextCandidate = run;
        }
        tenant.LastCandidate = run;
    }

    private static Run TakeCandidate(TenantClock tenant)
    {
        Run run = tenant.FirstCandidate!;
        tenant.FirstCandidate = run.NextCandidate;
        tenant.LastCandidate = tenant.FirstCandidate is null ? null : tenant.LastCandidate;
        run.NextCandidate = null;
        return run;
    }

    private void DropCandidates()
    {
        while (clocks.NextWithCandidate() is { } tenant)
        {
            TakeCandidate(tenant);
        }
    }
}
