namespace Concertina.Compute.Engine.Scheduling;

/// <summary>
/// Weighted fair order between tenants by virtual token counters: who has been served least, per weight, is next. A
/// tenant that comes back from idleness is lifted to the least served of the active ones, so nobody saves up credit.
/// Engine thread only.
/// </summary>
/// <remarks>
/// Sheng et al., Fairness in Serving Large Language Models (OSDI 2024), algorithm 2. Deviations: a row of prefill and a
/// row of decode count alike; prompts are charged when computed, and only admission counts them beforehand.
/// </remarks>
internal sealed class FairClocks
{
    private const int MostIdleClocks = 1024;

    private readonly Dictionary<string, TenantClock> _clocks = [];
    private readonly List<TenantClock> _active = [];
    private double _floor;

    /// <summary>Tenants with requests.</summary>
    public IReadOnlyList<TenantClock> Active => _active;

    /// <summary>All that are remembered, those without requests included.</summary>
    public Dictionary<string, TenantClock>.ValueCollection All => _clocks.Values;

    /// <summary>A request of this tenant arrived.</summary>
    public TenantClock Enter(string tenantId)
    {
        RaiseFloor();
        if (!_clocks.TryGetValue(tenantId, out TenantClock? clock))
        {
            clock = new TenantClock(tenantId);
            _clocks.Add(tenantId, clock);
        }
        if (clock.Requests++ == 0)
        {
            clock.Served = Math.Max(clock.Served, _floor);
            _active.Add(clock);
        }
        return clock;
    }

    /// <summary>A request of this tenant ended.</summary>
    public void Leave(TenantClock clock)
    {
        if (--clock.Requests == 0)
        {
            RaiseFloor();
            _active.Remove(clock);
            if (_clocks.Count > _active.Count + MostIdleClocks)
            {
                Forget();
            }
        }
    }

    /// <summary>Least served tenant among those that have candidates for the step; null when none has.</summary>
    public TenantClock? NextWithCandidate()
    {
        TenantClock? next = null;
        foreach (TenantClock clock in _active)
        {
            if (clock.FirstCandidate is not null && (next is null || clock.Served < next.Served))
            {
                next = clock;
            }
        }
        return next;
    }

    /// <summary>Least served tenant, promises counted, that has waiting requests and was not visited in this round.</summary>
    public TenantClock? NextWaiting(long visit)
    {
        TenantClock? next = null;
        foreach (TenantClock clock in _active)
        {
            if (clock.Waiting.Count > 0 && clock.Visit != visit && (next is null || IsBefore(clock, next)))
            {
                next = clock;
            }
        }
        return next;
    }

    /// <summary>The same, but a tenant whose oldest request has a higher priority goes before all of a lower one.</summary>
    public TenantClock? NextPreferred(long visit)
    {
        TenantClock? next = null;
        foreach (TenantClock clock in _active)
        {
            if (clock.Waiting.Count > 0 && clock.Visit != visit && (next is null || IsPreferred(clock, next)))
            {
                next = clock;
            }
        }
        return next;
    }

    private static bool IsPreferred(TenantClock clock, TenantClock other)
    {
        RequestPriority mine = clock.Waiting.First!.Value.Spec.Priority;
        RequestPriority theirs = other.Waiting.First!.Value.Spec.Priority;
        return mine > theirs || (mine == theirs && IsBefore(clock, other));
    }

    private static bool IsBefore(TenantClock clock, TenantClock other)
    {
        double mine = clock.Served + clock.Promised;
        double theirs = other.Served + other.Promised;
        return mine < theirs
            || (mine == theirs && clock.Waiting.First!.Value.SubmittedAt < other.Waiting.First!.Value.SubmittedAt);
    }

    private void RaiseFloor()
    {
        if (_active.Count == 0)
        {
            return;
        }
        double least = double.MaxValue;
        foreach (TenantClock clock in _active)
        {
            least = Math.Min(least, clock.Served);
        }
        _floor = Math.Max(_floor, least);
    }

    /// <summary>Drops idle clocks that remember nothing, and if that is not enough, those that remember least.</summary>
    private void Forget()
    {
        foreach (TenantClock clock in _clocks.Values
            .Where(clock => clock.Requests == 0)
            .OrderBy(clock => clock.Served)
            .Take(MostIdleClocks / 2)
            .ToArray())
        {
            _clocks.Remove(clock.TenantId);
        }
    }
}
