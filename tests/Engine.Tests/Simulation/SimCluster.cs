using Concertina.Compute.Allocation;

namespace Concertina.Engine.Tests.Simulation;

/// <summary>Workers, arrivals, and the plan that is made of their reports and reaches them a tick later, if it is not silent.</summary>
internal sealed class SimCluster
{
    /// <summary>Share of a worker's bytes that the plan fills.</summary>
    public const double PlanShare = 0.85;

    private const int Workers = 2;
    private const long BaseBytes = 900L << 20;
    private static readonly int[] Rates = [4, 12, 20, 32];
    private readonly RungPlan _plan;
    private readonly Random _random;
    private readonly SimWorker[] _workers;
    private readonly List<(SimSession, int)>[] _letters = [[], []];
    private readonly long[] _epochs = new long[Workers];
    private int[] _rungs = new int[4096];
    private int _silentUntil;
    private int _phaseUntil;
    private int _rate;
    private int _now;

    public SimCluster(int seed)
    {
        _random = new Random(seed);
        _plan = new RungPlan(SimLadder.All(SimLadder.Options));
        _workers = [.. Enumerable.Range(0, Workers).Select(worker => new SimWorker(BaseBytes, Figures, seed + worker + 1))];
    }

    public SimFigures Figures { get; } = new();

    /// <summary>Runs until so many sessions have arrived, then until none is left.</summary>
    public void Run(long sessions, bool planned = true)
    {
        while (Figures.Arrivals < sessions || _workers.Any(worker => worker.Held.Count + worker.Waiting > 0))
        {
            _now++;
            if (_random.Next(3) > 0)
            {
                Deliver(); // else it comes after what the workers do in this tick
            }
            if (Figures.Arrivals < sessions)
            {
                Arrive(Math.Min(sessions - Figures.Arrivals, Burst()));
            }
            foreach (SimWorker worker in _workers)
            {
                worker.Tick(_now);
            }
            Deliver();
            ChangeBudgets();
            if (planned && !IsSilent() && _now % 2 == 0)
            {
                Plan();
            }
            Assert.True(_now < 100 * (sessions + 1000), $"It does not end: {Figures}.");
        }
    }

    // Calm and busy hours, and bursts in both.
    private int Burst()
    {
        if (_now >= _phaseUntil)
        {
            (_rate, _phaseUntil) = (Rates[_random.Next(Rates.Length)], _now + _random.Next(100, 600));
        }
        return _random.Next(50) == 0 ? _random.Next(4 * _rate) : _random.Next((2 * _rate) + 1);
    }

    private void Arrive(long count)
    {
        for (long i = 0; i < count; i++)
        {
            SimSession session = NewSession(++Figures.Arrivals);
            SimWorker worker = _workers.MinBy(worker => worker.Waiting + ((double)worker.Ledger.SumBytes / worker.Ledger.CapacityBytes))!;
            if (worker.Accepts)
            {
                worker.Offer(session);
            }
            else
            {
                Figures.Refused++;
            }
        }
    }

    private SimSession NewSession(long id)
    {
        int floor = _random.Next(6) == 0 ? 0 : _random.Next(1, SimLadder.Count);
        return new SimSession(id)
        {
            Floor = floor,
            Economy = _random.Next(10) == 0,
            Weight = 0.5 * (1 << _random.Next(4)),
            PromptTokens = (int)(96 * Math.Pow(60, _random.NextDouble())),
            TurnsLeft = _random.Next(3) == 0 ? _random.Next(1, 4) : 0,
            IdleSince = _now,
        };
    }

    private void ChangeBudgets()
    {
        if (_random.Next(400) == 0)
        {
            _workers[_random.Next(Workers)].Want((long)(BaseBytes * (0.5 + (0.8 * _random.NextDouble()))));
        }
    }

    private bool IsSilent()
    {
        if (_now >= _silentUntil && _random.Next(300) == 0)
        {
            _silentUntil = _now + _random.Next(20, 200);
        }
        Figures.SilentTicks += _now < _silentUntil ? 1 : 0;
        return _now < _silentUntil;
    }

    private void Plan()
    {
        for (int worker = 0; worker < Workers; worker++)
        {
            SimWorker at = _workers[worker];
            ReadOnlySpan<PlanSession> view = at.View(_now);
            if (_rungs.Length < view.Length)
            {
                _rungs = new int[2 * view.Length];
            }
            _plan.Solve(view, PlanShare * at.Ledger.CapacityBytes, _rungs.AsSpan(0, view.Length));
            if (_now % 4 == 0)
            {
                Compare(at, _rungs.AsSpan(0, view.Length));
            }
            _epochs[worker] = at.Epoch;
            for (int i = 0; i < view.Length; i++)
            {
                SimSession session = at.Held[i];
                Assert.True(_rungs[i] <= session.Floor, "The plan chose a rung below a floor.");
                if (_rungs[i] != session.Assigned)
                {
                    _letters[worker].Add((session, _rungs[i]));
                }
            }
        }
    }

    private void Deliver()
    {
        for (int worker = 0; worker < Workers; worker++)
        {
            _workers[worker].Assign(_epochs[worker], _letters[worker]);
            _letters[worker].Clear();
        }
    }

    // The plan against everybody on the shallowest common rung that fits the same bytes, no deeper than each one's floor. Who
    // has no choice (economy, exact throughout) is left out of both.
    private void Compare(SimWorker worker, ReadOnlySpan<int> planned)
    {
        Span<long> bytes = stackalloc long[PlanLadder.MostRungs];
        Span<double> lost = stackalloc double[PlanLadder.MostRungs];
        bytes.Clear();
        lost.Clear();
        (double plan, double held) = (0, 0);
        for (int i = 0; i < planned.Length; i++)
        {
            SimSession session = worker.Held[i];
            bool choice = !session.Economy && SimLadder.Bytes(session.Tokens, 1) < SimLadder.Bytes(session.Tokens, 0);
            double weight = !choice ? 0 : session.Weight * (session.Run is not null ? 1 : SimLadder.IdleShare(0.25 * Math.Max(1, _now - session.IdleSince)));
            plan += weight * SimLadder.Distortion(planned[i]);
            held += weight * SimLadder.Distortion(session.Rung);
            for (int rung = 0; rung < SimLadder.Count; rung++)
            {
                int common = session.Economy ? session.Floor : Math.Min(rung, session.Floor);
                bytes[rung] += SimLadder.Bytes(session.Tokens, common);
                lost[rung] += weight * SimLadder.Distortion(common);
            }
        }
        int shallowest = 0;
        while (shallowest < SimLadder.Count && bytes[shallowest] > PlanShare * worker.Ledger.CapacityBytes)
        {
            shallowest++;
        }
        if (shallowest < SimLadder.Count)
        {
            Figures.Compared++;
            Figures.Distortion += plan;
            Figures.HeldDistortion += held;
            Figures.CommonRungDistortion += lost[shallowest];
        }
    }
}
