using Concertina.Compute.Engine.Scheduling;
using Concertina.Compute.KvCache.Memory;

namespace Concertina.Compute.Engine.Budget;

/// <summary>
/// Changes the KV budget between steps. A larger one holds at once. A smaller one is what new requests are measured by at
/// once; the cache then follows in slices: shadows and prefix columns go, the reflex squeezes sessions towards their floors, at
/// last idle ones are given back, and empty extents return to the operating system. It never falls below what running
/// sequences are promised, and is approached as they end. Engine thread only.
/// </summary>
internal sealed class BudgetStage
{
    /// <summary>Most bytes given back in one step, because the system takes time to take them.</summary>
    private const long MostBytesPerStep = 64L << 20;

    /// <summary>Fewer are not worth a look at the whole arena.</summary>
    private const long LeastBytesPerStep = 4 * ExtentArena.ExtentBytes;

    private readonly EngineState _state;
    private readonly Admission _admission;
    private readonly Settlement _settlement;

    public BudgetStage(EngineState state, Admission admission, Settlement settlement)
    {
        (_state, _admission, _settlement) = (state, admission, settlement);
        TargetBytes = state.Cache.BudgetBytes;
    }

    /// <summary>Budget that was asked for last.</summary>
    public long TargetBytes { get; private set; }

    /// <summary>Whether sessions hold more than the target has room for.</summary>
    public bool NeedsBytes => IsShrinking && _state.LiveBytes > _state.Commitments.CapacityBytes;

    /// <summary>State after the last step.</summary>
    public KvBudgetState Current => (IsShrinking ? Shrinking() : new(TargetBytes, TargetBytes, KvBudgetHold.None, _state.Ledger.SumBytes)) with
    {
        LeastBytes = _state.Cache.Interior.LeastBudgetBytes,
        MostBytes = _state.Cache.MaximumBudgetBytes,
    };

    private CacheBudget Figures => _state.Cache.Interior.Budget;

    private bool IsShrinking => _state.Cache.BudgetBytes > TargetBytes;

    /// <summary>Takes a request up.</summary>
    public void Change(BudgetRequest request)
    {
        long bytes = request.Take();
        try
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes, _state.Cache.MaximumBudgetBytes);
            _state.Cache.Interior.RequireRoom(_state.Cache.BudgetBytes - bytes);
        }
        catch (ArgumentException problem)
        {
            request.Fail(problem);
            return;
        }
        TargetBytes = bytes;
        // What new requests are measured by, from this moment on.
        _state.Commitments.CapacityBytes = Figures.CommittableFor(bytes);
        if (bytes >= _state.Cache.BudgetBytes)
        {
            _state.Cache.TryResize(bytes);
            _state.Ledger.CapacityBytes = _state.Cache.CommittableBytes;
            _admission.Look();
        }
        else
        {
            ReviewQueue();
            Run();
        }
        request.Complete(Current);
    }

    /// <summary>Goes on towards the target.</summary>
    /// <returns>True when bytes came free or were given back.</returns>
    public bool Run()
    {
        if (!IsShrinking)
        {
            _state.Wakes.IsHeld = false;
            return false;
        }
        _state.Undos.KeepWithin();
        _state.Ledger.CapacityBytes = Math.Max(_state.Commitments.CapacityBytes, _state.Ledger.LeastCapacityBytes());
        _state.Wakes.IsHeld = NeedsBytes;
        bool reclaimed = NeedsBytes && (_state.Slots.TryReclaim() || (!_state.Slots.IsReclaiming && _state.Slots.TryGiveWay()));
        return Shrink() | reclaimed;
    }

    private bool Shrink()
    {
        long before = _state.Cache.BudgetBytes;
        // Sessions keep room to grow in while they are squeezed; what has come free goes.
        long promisable = Math.Max(_state.Ledger.CapacityBytes, _state.LiveBytes);
        long wanted = Math.Max(BudgetFor(promisable), before - MostBytesPerStep);
        bool worthIt = before - wanted >= LeastBytesPerStep || (wanted == TargetBytes && wanted < before);
        return worthIt && _state.Cache.Interior.Evictor.JobBytes == 0 && _state.Cache.TryResize(wanted);
    }

    // The smallest budget, not below the target, that can keep promises of so many bytes.
    private long BudgetFor(long promisableBytes)
    {
        long bytes = TargetBytes;
        for (long lacks = promisableBytes - Figures.CommittableFor(bytes); lacks > 0; lacks = promisableBytes - Figures.CommittableFor(bytes))
        {
            bytes += lacks;
        }
        return Math.Min(bytes, _state.Cache.BudgetBytes);
    }

    // Requests that wait and cannot fit any more get other bounds, or are told at once.
    private void ReviewQueue()
    {
        foreach (Run run in _state.Queue.InOrder())
        {
            if (run.Bounds.FullBytes <= _state.Commitments.CapacityBytes)
            {
                continue;
            }
            if (_state.Intake.CheckAgain(run.Spec, out RunBounds bounds) is { } refusal)
            {
                _settlement.End(run, new RunOutcome(FinishKind.Error, "admission/never-fits", refusal.Message) { Refusal = refusal });
                continue;
            }
            run.Bounds = bounds;
        }
    }

    private KvBudgetState Shrinking()
    {
        long promised = _state.Ledger.LeastCapacityBytes();
        KvBudgetHold hold = promised > _state.Commitments.CapacityBytes ? KvBudgetHold.Commitments : KvBudgetHold.Squeezing;
        return new KvBudgetState(TargetBytes, _state.Cache.BudgetBytes, hold, promised);
    }
}
