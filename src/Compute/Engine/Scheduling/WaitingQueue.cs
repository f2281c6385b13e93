namespace Concertina.Compute.Engine.Scheduling;

/// <summary>
/// Requests that wait for admission. Rule: the turn is the oldest request's of the least served tenant. Requests of higher
/// priorities go before it, <see cref="MostOvertakes"/> times at most. If its commitment does not fit now, other tenants'
/// oldest requests may go first, by priority and in fair order, then requests behind them in their tenants' queues; but once a request's turn was passed over <see cref="MostBypasses"/> times, nothing is admitted
/// until it fits. So a huge request neither blocks small ones for ever nor starves. Engine thread only.
/// </summary>
internal sealed class WaitingQueue(FairClocks clocks)
{
    /// <summary>How often a request's turn may be passed over.</summary>
    public const int MostBypasses = 32;

    /// <summary>
    /// How often requests of a higher priority may go before one whose turn it is: of nine admissions the low priority has one at
    /// least, whatever others send.
    /// </summary>
    public const int MostOvertakes = 8;

    /// <summary>Requests looked at for one admission.</summary>
    private const int MostLooks = 64;

    private readonly LinkedList<Run> _arrivals = [];
    private Run? _barrier;
    private long _visit;

    public int Count => _arrivals.Count;

    /// <summary>Who has waited longest, or null.</summary>
    public Run? Oldest => _arrivals.First?.Value;

    /// <summary>All of them, in order of arrival, as they are now.</summary>
    public Run[] InOrder() => [.. _arrivals];

    public void Add(Run run)
    {
        run.Tenant = clocks.Enter(run.Sequence.Identity.TenantId);
        run.TenantPlace = run.Tenant.Waiting.AddLast(run);
        run.ArrivalPlace = _arrivals.AddLast(run);
    }

    /// <summary>Takes a request out; its tenant stays active until <see cref="FairClocks.Leave"/>.</summary>
    public void Remove(Run run)
    {
        run.Tenant.Waiting.Remove(run.TenantPlace!);
        _arrivals.Remove(run.ArrivalPlace!);
        run.TenantPlace = run.ArrivalPlace = null;
        if (_barrier == run)
        {
            _barrier = null;
        }
    }

    /// <summary>The request to admit next by the rule above, or null when none fits; it stays in the queue.</summary>
    /// <param name="fits">Says what fits.</param>
    public Run? Next(Func<Run, bool> fits)
    {
        if (_barrier is not null)
        {
            return fits(_barrier) ? _barrier : null;
        }
        if (clocks.NextWaiting(++_visit) is not { } first)
        {
            return null;
        }
        Run turn = first.Waiting.First!.Value;
        Run preferred = turn.Overtakes < MostOvertakes ? clocks.NextPreferred(_visit)!.Waiting.First!.Value : turn;
        Run? chosen = fits(preferred) ? preferred : FirstThatFits(fits);
        if (chosen is not null && chosen != turn)
        {
            PassOver(turn, chosen);
        }
        return chosen;
    }

    private void PassOver(Run turn, Run chosen)
    {
        if (chosen.Spec.Priority > turn.Spec.Priority && turn.Overtakes < MostOvertakes)
        {
            turn.Overtakes++;
        }
        else if (turn.Wake is null or { IsLoaded: true } && ++turn.Bypasses >= MostBypasses)
        {
            _barrier = turn;
        }
    }

    private Run? FirstThatFits(Func<Run, bool> fits)
    {
        int looks = 0;
        for (TenantClock? clock = clocks.NextPreferred(_visit); clock is not null && looks < MostLooks; clock = clocks.NextPreferred(_visit))
        {
            clock.Visit = _visit;
            looks++;
            if (fits(clock.Waiting.First!.Value))
            {
                return clock.Waiting.First.Value;
            }
        }
        _visit++;
        for (TenantClock? clock = clocks.NextPreferred(_visit); clock is not null; clock = clocks.NextPreferred(_visit))
        {
            clock.Visit = _visit;
            for (LinkedListNode<Run>? place = clock.Waiting.First!.Next; place is not null; place = place.Next)
            {
                if (looks++ >= MostLooks)
                {
                    return null;
                }
                if (fits(place.Value))
                {
                    return place.Value;
                }
            }
        }
        return null;
    }
}
