using System.Runtime.InteropServices;
using Concertina.Compute.Allocation;
using Concertina.Compute.Engine.Scheduling;

namespace Concertina.Engine.Tests.Laws;

/// <summary>
/// One worker in numbers: the plan and the ledger are the real ones, a session is its tokens and its rung, and transcoding takes
/// no time. Checks the laws after every tick.
/// </summary>
internal sealed class SimulatedWorker
{
    private const double CapacityBytes = 48 << 20;
    private const double HighWatermark = 0.9;
    private const double LowWatermark = 0.8;
    private const int ExactTokens = 192;

    private static readonly PlanRung[] Rungs =
    [
        new() { Name = "f16", BytesPerToken = 4096, Distortion = 0 },
        new() { Name = "int8", BytesPerToken = 2176, Distortion = 1.6e-4 },
        new() { Name = "int4", BytesPerToken = 1152, Distortion = 6e-4 },
        new() { Name = "k4v2", BytesPerToken = 896, Distortion = 3e-3 },
        new() { Name = "commvq2", BytesPerToken = 544, Distortion = 4e-3 },
    ];

    private readonly Random _random;
    private readonly PlanLadder _ladder = new(Rungs, ExactTokens, new PlanOptions());
    private readonly RungPlan _plan;
    private readonly CommitmentLedger _ledger = new((long)CapacityBytes, maxRuns: 256);
    private readonly List<PlanSession> _sessions = [];
    private readonly List<Run?> _runs = [];
    private readonly List<int> _ticksLeft = [];
    private int[] _rungs = new int[512];
    private double _budget = CapacityBytes;
    private int _silence;

    public SimulatedWorker(int seed)
    {
        _random = new Random(seed);
        _plan = new RungPlan(_ladder);
    }

    /// <summary>Sessions that arrived.</summary>
    public int Arrived { get; private set; }

    /// <summary>Sessions that ran to their end.</summary>
    public int Finished { get; private set; }

    /// <summary>Sessions that were refused because the promise did not fit then.</summary>
    public int TurnedAway { get; private set; }

    /// <summary>Ticks in which the budget grain was silent.</summary>
    public int SilentTicks { get; private set; }

    /// <summary>Weighted distortion, summed over ticks with pressure.</summary>
    public double Distortion { get; private set; }

    /// <summary>The same if all sessions were on the shallowest common rung that fits, each within its floor.</summary>
    public double CommonDistortion { get; private set; }

    /// <summary>One unit of time: arrivals, growth, ends, the plan or the reflex, and the laws.</summary>
    public void Tick()
    {
        ChangeBudget();
        for (int arrivals = _random.Next(20) == 0 ? _random.Next(20) : _random.Next(3); arrivals > 0; arrivals--)
        {
            Arrive();
        }
        Grow();
        bool silent = _silence > 0;
        _silence = silent ? _silence - 1 : _random.Next(200) == 0 ? _random.Next(50) : 0;
        SilentTicks += silent ? 1 : 0;
        if (!silent)
        {
            Assign(_budget, mayRise: true);
            Compare();
        }
        else if (Bytes() > HighWatermark * _budget)
        {
            Assign(LowWatermark * _budget, mayRise: false);
        }
        Spill();
        Check();
    }

    // A smaller budget is approached as far as promises allow.
    private void ChangeBudget()
    {
        if (_random.Next(40) == 0)
        {
            _budget = CapacityBytes * (0.4 + (0.6 * _random.NextDouble()));
        }
        _budget = Math.Max(_budget, Math.Min(CapacityBytes, _ledger.SumBytes));
    }

    private void Arrive()
    {
        Arrived++;
        int prompt = 64 + (int)(3000 * Math.Pow(_random.NextDouble(), 2));
        int ticks = 1 + _random.Next(10);
        int floor = _random.Next(Rungs.Length);
        PlanSession session = new(prompt, 0, 0, floor, Math.Exp(_random.NextDouble() * 3), 0, MayRise: true);
        long bytes = Floor(session with { Tokens = prompt + (64 * ticks) });
        var run = new Run(null!, null!, null!) { Bounds = new RunBounds(prompt + (64 * ticks), bytes, prompt + (64 * ticks), bytes, false), SubmittedAt = 0 };
        if (_ledger.SumBytes + bytes > _budget || !_ledger.CanAdmit(run))
        {
            TurnedAway++;
            return;
        }
        _ledger.Admit(run);
        _sessions.Add(session);
        _runs.Add(run);
        _ticksLeft.Add(ticks);
    }

    private void Grow()
    {
        for (int session = _sessions.Count - 1; session >= 0; session--)
        {
            PlanSession one = _sessions[session];
            bool runs = _runs[session] is not null;
            _sessions[session] = runs ? one with { Tokens = one.Tokens + 64 } : one with { IdleSeconds = one.IdleSeconds + 1 };
            if (--_ticksLeft[session] > 0)
            {
                continue;
            }
            if (_runs[session] is { } run)
            {
                _ledger.Release(run);
                _runs[session] = null;
                _ticksLeft[session] = 1 + _random.Next(20);
                Finished++;
            }
            else
            {
                Remove(session);
            }
        }
        // What grew beyond the budget waits in place until others have shrunk: in no time, here.
        if (Bytes() > _budget)
        {
            Assign(_budget, mayRise: false);
        }
    }

    private void Assign(double budget, bool mayRise)
    {
        Span<PlanSession> sessions = CollectionsMarshal.AsSpan(_sessions);
        for (int session = 0; session < sessions.Length; session++)
        {
            sessions[session] = sessions[session] with { MayRise = mayRise };
        }
        _rungs = _rungs.Length < sessions.Length ? new int[2 * sessions.Length] : _rungs;
        _plan.Solve(sessions, budget, _rungs.AsSpan(0, sessions.Length));
        for (int session = 0; session < sessions.Length; session++)
        {
            sessions[session] = sessions[session] with { Rung = _rungs[session] };
        }
    }

    // The last measure: idle sessions leave, the longest idle first.
    private void Spill()
    {
        while (Bytes() > _budget)
        {
            int oldest = -1;
            for (int session = 0; session < _sessions.Count; session++)
            {
                oldest = _runs[session] is null && (oldest < 0 || _sessions[session].IdleSeconds > _sessions[oldest].IdleSeconds) ? session : oldest;
            }
            Assert.True(oldest >= 0, $"{Bytes():N0} bytes of running sessions alone, all on their floors, pass the budget of {_budget:N0}.");
            Remove(oldest);
        }
    }

    private void Compare()
    {
        double planned = 0;
        foreach (PlanSession session in CollectionsMarshal.AsSpan(_sessions))
        {
            planned += _ladder.Cost(session, session.Rung);
        }
        for (int common = 0; common < Rungs.Length; common++)
        {
            (double bytes, double distortion) = (0, 0);
            foreach (PlanSession session in CollectionsMarshal.AsSpan(_sessions))
            {
                int rung = Math.Min(common, session.Floor);
                bytes += _ladder.Bytes(session, rung);
                distortion += _ladder.Cost(session, rung);
            }
            if (bytes <= _budget)
            {
                CommonDistortion += distortion;
                Distortion += planned;
                return;
            }
        }
    }

    private void Check()
    {
        _ledger.Check();
        Assert.InRange(Bytes(), 0, _budget * (1 + 1e-9));
        Assert.InRange(_ledger.SumBytes, 0, (long)_budget + 1);
        foreach (PlanSession session in CollectionsMarshal.AsSpan(_sessions))
        {
            Assert.True(session.Rung <= session.Floor, "A floor is broken.");
        }
    }

    private void Remove(int session)
    {
        int last = _sessions.Count - 1;
        (_sessions[session], _runs[session], _ticksLeft[session]) = (_sessions[last], _runs[last], _ticksLeft[last]);
        _sessions.RemoveAt(last);
        _runs.RemoveAt(last);
        _ticksLeft.RemoveAt(last);
    }

    private double Bytes()
    {
        double bytes = 0;
        foreach (PlanSession session in CollectionsMarshal.AsSpan(_sessions))
        {
            bytes += _ladder.Bytes(session, session.Rung);
        }
        return bytes;
    }

    private long Floor(PlanSession session) => (long)Math.Ceiling(_ladder.Bytes(session, session.Floor));
}
