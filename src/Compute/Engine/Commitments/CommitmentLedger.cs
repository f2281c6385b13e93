namespace Concertina.Compute.Engine.Scheduling;

/// <summary>
/// What running sequences are promised. Two laws hold after every call: the sum never exceeds the capacity, and at least
/// one run holds all it can ever need. A promise is only given if afterwards there is still an order in which every run
/// can be given its rest from what is free and what those before it give back (Dijkstra's banker with one resource), so
/// runs that wait for memory never wait for each other.
/// </summary>
internal sealed class CommitmentLedger
{
    private readonly List<Run> _runs = [];
    private readonly long[] _needs;
    private readonly long[] _holds;

    /// <param name="capacityBytes">What the sum may reach.</param>
    /// <param name="maxRuns">Most runs at once.</param>
    public CommitmentLedger(long capacityBytes, int maxRuns)
    {
        CapacityBytes = capacityBytes;
        _needs = new long[maxRuns + 1];
        _holds = new long[maxRuns + 1];
    }

    /// <summary>What the sum may reach; never set below <see cref="LeastCapacityBytes"/>.</summary>
    public long CapacityBytes { get; set; }

    /// <summary>Sum of what is promised.</summary>
    public long SumBytes { get; private set; }

    public IReadOnlyList<Run> Runs => _runs;

    public bool CanAdmit(Run run) => _runs.Count < _holds.Length - 1 && IsSafe(run, run.Bounds.FirstBytes);

    /// <summary>Promises what <see cref="CanAdmit"/> found possible.</summary>
    public void Admit(Run run)
    {
        _runs.Add(run);
        run.HeldTokens = run.Bounds.FirstTokens;
        Hold(run, run.Bounds.FirstBytes);
        SecureOne();
    }

    /// <summary>Raises a run's promise, or changes nothing.</summary>
    /// <param name="run">A run that was admitted.</param>
    /// <param name="tokens">Tokens to cover.</param>
    /// <param name="bytes">Their commitment.</param>
    public bool TryExtend(Run run, int tokens, long bytes)
    {
        if (!IsSafe(run, bytes))
        {
            return false;
        }
        run.HeldTokens = tokens;
        Hold(run, bytes);
        SecureOne();
        return true;
    }

    /// <summary>Changes what the sum may reach; where not everybody could finish within it, nothing changes.</summary>
    public bool TryResize(long capacityBytes)
    {
        long before = CapacityBytes;
        CapacityBytes = capacityBytes;
        if (!IsSafe())
        {
            CapacityBytes = before;
            return false;
        }
        return true;
    }

    public void Release(Run run)
    {
        if (_runs.Remove(run))
        {
            Hold(run, 0);
            SecureOne();
        }
    }

    /// <summary>The least capacity with which all runs can still be given their rest, in some order.</summary>
    public long LeastCapacityBytes()
    {
        int count = 0;
        foreach (Run run in _runs)
        {
            (_needs[count], _holds[count]) = (run.Bounds.FullBytes - run.HeldBytes, run.HeldBytes);
            count++;
        }
        _needs.AsSpan(0, count).Sort(_holds.AsSpan(0, count));
        long least = 0;
        long givenBack = 0;
        for (int i = 0; i < count; i++)
        {
            least = Math.Max(least, _needs[i] - givenBack);
            givenBack += _holds[i];
        }
        return SumBytes + least;
    }

    /// <summary>Throws if a law is broken.</summary>
    /// <exception cref="InvalidOperationException">The message names the law with its values.</exception>
    public void Check()
    {
        long sum = 0;
        bool secured = _runs.Count == 0;
        foreach (Run run in _runs)
        {
            sum += run.HeldBytes;
            secured |= run.HeldBytes >= run.Bounds.FullBytes;
        }
        if (sum != SumBytes || sum > CapacityBytes || !secured)
        {
            throw new InvalidOperationException(
                $"Commitments: {_runs.Count} runs hold {sum:N0} bytes, the ledger says {SumBytes:N0}, {CapacityBytes:N0} may be promised; " +
                $"a run with its full commitment {(secured ? "exists" : "is missing")}.");
        }
    }

    private void Hold(Run run, long bytes)
    {
        SumBytes += bytes - run.HeldBytes;
        run.HeldBytes = bytes;
    }

    /// <summary>Whether everybody could still finish if this run, new or not, held these bytes.</summary>
    private bool IsSafe(Run changed, long bytes)
    {
        long free = CapacityBytes - SumBytes - (bytes - changed.HeldBytes);
        if (free < 0)
        {
            return false;
        }
        int count = 0;
        foreach (Run run in _runs)
        {
            if (run != changed)
            {
                (_needs[count], _holds[count]) = (run.Bounds.FullBytes - run.HeldBytes, run.HeldBytes);
                count++;
            }
        }
        (_needs[count], _holds[count]) = (changed.Bounds.FullBytes - bytes, bytes);
        return CanAllFinish(count + 1, free);
    }

    private bool IsSafe()
    {
        int count = 0;
        foreach (Run run in _runs)
        {
            (_needs[count], _holds[count]) = (run.Bounds.FullBytes - run.HeldBytes, run.HeldBytes);
            count++;
        }
        return SumBytes <= CapacityBytes && CanAllFinish(count, CapacityBytes - SumBytes);
    }

    // Those that lack least come first: each gives back what it holds.
    private bool CanAllFinish(int count, long free)
    {
        _needs.AsSpan(0, count).Sort(_holds.AsSpan(0, count));
        for (int i = 0; i < count; i++)
        {
            if (_needs[i] > free)
            {
                return false;
            }
            free += _holds[i];
        }
        return true;
    }

    /// <summary>Gives the run that lacks least its full commitment; safety says that it fits.</summary>
    private void SecureOne()
    {
        Run? nearest = null;
        foreach (Run run in _runs)
        {
            long lacks = run.Bounds.FullBytes - run.HeldBytes;
            if (lacks <= 0)
            {
                return;
            }
            if (nearest is null || lacks < nearest.Bounds.FullBytes - nearest.HeldBytes)
            {
                nearest = run;
            }
        }
        if (nearest is not null)
        {
            nearest.HeldTokens = nearest.Bounds.TokenLimit;
            Hold(nearest, nearest.Bounds.FullBytes);
        }
    }
}
