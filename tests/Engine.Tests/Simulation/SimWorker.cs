using Concertina.Compute.Allocation;
using Concertina.Compute.Engine.Scheduling;
using Concertina.Compute.KvCache;

namespace Concertina.Engine.Tests.Simulation;

/// <summary>
/// One simulated worker: the engine's rules on bytes of a curve. Its ledger, its reflex and the plan are the engine's own;
/// tokens and units are numbers. Asserts every law at every tick.
/// </summary>
internal sealed class SimWorker
{
    public const int QueueLimit = 200;
    private const double HighWatermark = 0.9;
    private const double LowWatermark = 0.8;

    private const int MaxRuns = 400;
    private const int PrefillTokens = 2048;
    private const int DecodeTokens = 48;
    private const int UndoTokens = 4096;
    private const long SliceBytes = 256 << 20;
    private const int SlowWeight = 16;
    private const int QueueTicks = 120;

    private readonly ReflexRule _all;
    private readonly ReflexRule _quick;
    private readonly SimFigures _figures;
    private readonly Random _random;
    private readonly Queue<SimSession> _queue = [];
    private readonly List<SimSession> _ended = [];
    private PlanSession[] _view = [];
    private int[] _rungs = [];
    private SimSession[] _order = [];
    private long _credit;
    private long _target;
    private int _standstill;

    public SimWorker(long capacity, SimFigures figures, int seed)
    {
        PlanOptions options = SimLadder.Options with { Hysteresis = 0 };
        (_all, _quick) = (new ReflexRule(SimLadder.All(options)), new ReflexRule(SimLadder.Quick(options)));
        _figures = figures;
        _random = new Random(seed);
        _target = capacity;
        Ledger = new CommitmentLedger(capacity, MaxRuns);
    }

    public CommitmentLedger Ledger { get; }

    public long Epoch { get; private set; } = 1;

    public long UsedBytes { get; private set; }

    /// <summary>Those that hold units, running or idle.</summary>
    public List<SimSession> Held { get; } = [];

    public int Waiting => _queue.Count;

    public bool Accepts => _queue.Count < QueueLimit;

    public void Offer(SimSession session) => _queue.Enqueue(session);

    /// <summary>The budget shall be another from now on; it becomes so once what is promised and held allows.</summary>
    public void Want(long capacity) => _target = capacity;

    public void Tick(int now)
    {
        _credit = Math.Min(SliceBytes, _credit + SliceBytes);
        Compact();
        Resize(now);
        Return(now);
        Admit(now);
        Advance(now);
        if (UsedBytes >= HighWatermark * Ledger.CapacityBytes)
        {
            Squeeze(UsedBytes - (long)(LowWatermark * Ledger.CapacityBytes), now, waits: false);
        }
        Transcode();
        Check(now);
    }

    /// <summary>Takes assignments of the plan; those made for an older epoch are refused.</summary>
    public void Assign(long epoch, IReadOnlyList<(SimSession Session, int Rung)> assignments)
    {
        if (epoch != Epoch)
        {
            _figures.StaleAssignments += assignments.Count;
            return;
        }
        foreach ((SimSession session, int rung) in assignments)
        {
            if (!session.Gone)
            {
                SetAssigned(session, Math.Min(rung, session.Floor));
            }
        }
    }

    /// <summary>The sessions as the plan sees them, in the order of the list.</summary>
    public ReadOnlySpan<PlanSession> View(int now)
    {
        Span<PlanSession> view = Room();
        for (int i = 0; i < view.Length; i++)
        {
            view[i] = Seen(Held[i], now) with { MayRise = !Held[i].Economy };
        }
        return view;
    }

    private static PlanSession Seen(SimSession session, int now) => new(
        session.Tokens, SharedBytes: 0, Math.Max(session.Rung, session.Assigned), session.Floor, session.Weight,
        session.Run is null ? 0.25 * Math.Max(1, now - session.IdleSince) : 0, MayRise: false);

    private Span<PlanSession> Room()
    {
        if (_view.Length < Held.Count)
        {
            (_view, _rungs, _order) = (new PlanSession[2 * Held.Count], new int[2 * Held.Count], new SimSession[2 * Held.Count]);
        }
        return _view.AsSpan(0, Held.Count);
    }

    private void Resize(int now)
    {
        if (_target == Ledger.CapacityBytes)
        {
            return;
        }
        if (UsedBytes > _target)
        {
            MakeRoom(UsedBytes - _target, now);
        }
        if (UsedBytes <= _target && Ledger.TryResize(_target))
        {
            _figures.Resizes++;
        }
    }

    private void Return(int now)
    {
        for (int i = Held.Count - 1; i >= 0; i--)
        {
            SimSession session = Held[i];
            if (session.Gone || session.Run is not null || session.Due > now || session.Due < 0)
            {
                continue;
            }
            if (session.TurnsLeft > 0 && Accepts)
            {
                session.TurnsLeft--;
                session.Due = -1;
                session.PromptTokens = session.Tokens + _random.Next(16, 400);
                session.IdleSince = now;
                Tighten(session);
                Offer(session);
            }
            else
            {
                Remove(session);
            }
        }
    }

    // A request may ask for a shallower floor than the one before; what lost more already is recomputed.
    private void Tighten(SimSession session)
    {
        if (_random.Next(4) == 0 && session.Floor > 0)
        {
            session.Floor--;
            session.Assigned = Math.Min(session.Assigned, session.Floor);
            if (session.Rung > session.Floor && !session.Gone)
            {
                Remove(session);
            }
        }
    }

    private void Admit(int now)
    {
        while (_queue.TryPeek(out SimSession? session))
        {
            Run run = NewRun(session, now);
            bool neverFits = run.Bounds.FullBytes > Math.Min(Ledger.CapacityBytes, _target);
            if (neverFits || session.Run is not null)
            {
                _figures.Refused++;
                _queue.Dequeue();
                session.Due = now; // it ends with its refusal
                continue;
            }
            // While the budget shrinks nothing new may be promised that the smaller one could not keep.
            if (Ledger.SumBytes + run.Bounds.FirstBytes > _target || !Ledger.CanAdmit(run))
            {
                return;
            }
            _queue.Dequeue();
            Ledger.Admit(run);
            session.Run = run;
            session.Due = -1;
            session.Waits = 0;
            if (session.Gone || session.Tokens == 0)
            {
                (session.Gone, session.Tokens, session.Bytes) = (false, 0, 0);
                session.Rung = session.Assigned = session.Economy ? session.Floor : 0;
                if (!session.Listed)
                {
                    session.Listed = true;
                    Held.Add(session);
                }
            }
        }
    }

    // Promised are the bytes on its floor.
    private static Run NewRun(SimSession session, int now)
    {
        int promised = session.Floor;
        int limit = session.PromptTokens + (int)(16 * Math.Pow(32, Spread(session.Id)));
        bool open = session.Id % 5 == 0;
        int first = open ? Math.Min(limit, session.PromptTokens + 64) : limit;
        return new Run(null!, null!, null!)
        {
            Bounds = new RunBounds(limit, Promise(limit, promised), first, Promise(first, promised), EndsAtBudget: false)
            {
                Rung = promised,
                DeepestRung = session.Floor,
            },
            SubmittedAt = now,
        };
    }

    // A column may come before the one behind the window has moved.
    private static long Promise(int tokens, int rung) =>
        SimLadder.Bytes(tokens, rung) + Math.Max(0, SimLadder.Bytes(tokens, 0) - SimLadder.Bytes(Math.Max(0, tokens - 64), 0));

    private static double Spread(long id) => ((id * 2654435761L) & 0xFFFF) / 65536.0;

    private void Advance(int now)
    {
        (bool moved, int running) = (false, 0);
        _ended.Clear();
        foreach (SimSession session in Held)
        {
            if (session.Run is not { } run)
            {
                continue;
            }
            running++;
            bool advanced = TryAdvance(session, run, now);
            moved |= advanced;
            session.Waits = advanced ? 0 : session.Waits + 1;
            _figures.LongestWait = Math.Max(_figures.LongestWait, session.Waits);
            if (session.Tokens >= run.Bounds.TokenLimit)
            {
                _ended.Add(session);
            }
        }
        foreach (SimSession session in _ended)
        {
            Ledger.Release(session.Run!);
            session.Run = null;
            session.IdleSince = now;
            session.Due = now + _random.Next(2, 16);
            _figures.Finished++;
        }
        _standstill = moved || running == 0 ? 0 : _standstill + 1;
        _figures.LongestStandstill = Math.Max(_figures.LongestStandstill, _standstill);
    }

    private bool TryAdvance(SimSession session, Run run, int now)
    {
        int rows = session.Tokens < session.PromptTokens ? PrefillTokens : DecodeTokens;
        int border = session.Tokens < session.PromptTokens ? session.PromptTokens : run.Bounds.TokenLimit;
        int tokens = Math.Min(session.Tokens + rows, border);
        if (tokens > run.HeldTokens)
        {
            int covered = Math.Min(KvShape.PagesFor(tokens) * KvShape.PageTokens, run.Bounds.TokenLimit);
            if (!Ledger.TryExtend(run, covered, Math.Max(run.HeldBytes, Promise(covered, run.Bounds.Rung))))
            {
                return false;
            }
        }
        long more = SimLadder.Bytes(tokens, session.Rung) - session.Bytes;
        if (UsedBytes + more > Ledger.CapacityBytes)
        {
            MakeRoom(UsedBytes + more - Ledger.CapacityBytes, now);
            more = SimLadder.Bytes(tokens, session.Rung) - session.Bytes;
        }
        if (UsedBytes + more > Ledger.CapacityBytes)
        {
            return false;
        }
        session.Tokens = tokens;
        Hold(session, session.Bytes + more);
        return true;
    }

    // The order of measures: second copies go, idle and then active sessions are squeezed, idle ones leave.
    private void MakeRoom(long bytes, int now)
    {
        long wanted = UsedBytes - bytes;
        foreach (SimSession session in Held)
        {
            DropCopy(session);
        }
        if (UsedBytes > wanted)
        {
            Squeeze(UsedBytes - wanted, now, waits: true);
            Transcode();
        }
        // Where squeezes on their way will do, it waits for them.
        while (UsedBytes - Pending() > wanted && OldestIdle() is { } idle)
        {
            Remove(idle);
            _figures.DroppedIdle++;
        }
    }

    private long Pending()
    {
        long bytes = 0;
        foreach (SimSession session in Held)
        {
            bytes += session.Assigned > session.Rung ? session.Bytes - SimLadder.Bytes(session.Tokens, session.Assigned) : 0;
        }
        return bytes;
    }

    private SimSession? OldestIdle()
    {
        SimSession? oldest = null;
        foreach (SimSession session in Held)
        {
            if (session.Run is null && !session.Gone && (oldest is null || session.IdleSince < oldest.IdleSince))
            {
                oldest = session;
            }
        }
        return oldest;
    }

    // As the engine's reflex: quick moves, and where somebody waits, slow ones, and at last everybody's floor.
    private void Squeeze(long excess, int now, bool waits)
    {
        excess -= Pending();
        Span<PlanSession> view = Room();
        int running = 0;
        int last = view.Length;
        foreach (SimSession session in Held)
        {
            int at = session.Run is not null ? running++ : --last;
            (_order[at], view[at]) = (session, Seen(session, now));
        }
        if (excess <= 0 || !(Choose(_quick, view, running, excess) || (waits && (Choose(_all, view, running, excess) || ToFloors(view.Length)))))
        {
            return;
        }
        Epoch++;
        _figures.Reflexes++;
    }

    private bool Choose(ReflexRule rule, ReadOnlySpan<PlanSession> view, int running, long excess)
    {
        if (rule.Choose(view, running, excess, _rungs.AsSpan(0, view.Length)) == 0)
        {
            return false;
        }
        for (int i = 0; i < view.Length; i++)
        {
            Assert.True(_rungs[i] <= view[i].Floor, "The reflex chose a rung below a floor.");
            SetAssigned(_order[i], _rungs[i]);
        }
        return true;
    }

    private bool ToFloors(int count)
    {
        bool moved = false;
        for (int i = 0; i < count; i++)
        {
            SimSession session = _order[i];
            if (session.Assigned < session.Floor && SimLadder.Bytes(session.Tokens, session.Floor) < SimLadder.Bytes(session.Tokens, session.Assigned))
            {
                SetAssigned(session, session.Floor);
                moved = true;
            }
        }
        return moved;
    }

    private void Transcode()
    {
        for (int i = 0; i < Held.Count; i++)
        {
            SimSession session = Held[i];
            if (session.Assigned > session.Rung && _credit > 0)
            {
                _credit -= session.Bytes * (SimLadder.IsQuick(session.Assigned) ? 1 : SlowWeight);
                Move(session);
                _figures.Squeezes++;
            }
            else if (session.Assigned < session.Rung && !session.Gone)
            {
                Undo(session);
            }
        }
    }

    // The second copy is paid from what is below the high watermark, and the swap frees the first.
    private void Undo(SimSession session)
    {
        if (session.CopyBytes == 0)
        {
            long copy = SimLadder.Bytes(session.Tokens + 512, session.Assigned);
            if (UsedBytes + copy >= HighWatermark * Ledger.CapacityBytes)
            {
                return;
            }
            (session.CopyBytes, session.CopyLeft) = (copy, session.Tokens);
            UsedBytes += copy;
        }
        session.CopyLeft -= UndoTokens;
        if (session.CopyLeft <= 0)
        {
            DropCopy(session);
            if (UsedBytes + SimLadder.Bytes(session.Tokens, session.Assigned) - session.Bytes <= Ledger.CapacityBytes)
            {
                Move(session);
                _figures.Undone++;
            }
        }
    }

    private void Move(SimSession session)
    {
        Assert.True(session.Assigned <= session.Floor, $"Session {session.Id} moves to rung {session.Assigned}; its floor is {session.Floor}.");
        Assert.True(session.Assigned < session.Rung || SimLadder.Reaches(session.Rung, session.Assigned), $"Rung {session.Assigned} is not reached from {session.Rung}.");
        session.Rung = session.Assigned;
        Hold(session, SimLadder.Bytes(session.Tokens, session.Rung));
    }

    private void SetAssigned(SimSession session, int rung)
    {
        if (rung != session.Assigned)
        {
            DropCopy(session);
            session.Assigned = rung;
        }
    }

    private void DropCopy(SimSession session)
    {
        UsedBytes -= session.CopyBytes;
        session.CopyBytes = 0;
    }

    private void Hold(SimSession session, long bytes)
    {
        UsedBytes += bytes - session.Bytes;
        session.Bytes = bytes;
    }

    private void Remove(SimSession session)
    {
        DropCopy(session);
        Hold(session, 0);
        session.Gone = true;
        session.Tokens = session.Rung = session.Assigned = 0;
    }

    // Those that left stay listed until here, because they may leave while the list is walked.
    private void Compact()
    {
        int kept = 0;
        for (int i = 0; i < Held.Count; i++)
        {
            SimSession session = Held[i];
            if (session.Gone)
            {
                session.Listed = false;
            }
            else
            {
                Held[kept++] = session;
            }
        }
        Held.RemoveRange(kept, Held.Count - kept);
    }

    private void Check(int now)
    {
        Ledger.Check();
        while (_queue.TryPeek(out SimSession? oldest) && now - oldest.IdleSince > QueueTicks)
        {
            _queue.Dequeue();
            oldest.Due = now;
            _figures.Refused++;
        }
        long used = 0;
        foreach (SimSession session in Held)
        {
            used += session.Bytes + session.CopyBytes;
            if (session.Rung > session.Floor && !session.Gone)
            {
                Assert.Fail($"Session {session.Id} is on rung {session.Rung}; its floor is {session.Floor}.");
            }
            if (session.Run is { } run && SimLadder.Bytes(session.Tokens, run.Bounds.Rung) > run.HeldBytes)
            {
                Assert.Fail($"Session {session.Id} cannot be brought within the {run.HeldBytes} bytes it is promised.");
            }
        }
        Assert.Equal(used, UsedBytes);
        Assert.True(used <= Ledger.CapacityBytes, $"{used} bytes are used of {Ledger.CapacityBytes}.");
        Assert.True(Ledger.SumBytes <= Ledger.CapacityBytes, $"{Ledger.SumBytes} bytes are promised of {Ledger.CapacityBytes}.");
    }
}
