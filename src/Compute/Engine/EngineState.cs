using Concertina.Compute.Allocation;
using Concertina.Compute.Engine.Elastic;
using Concertina.Compute.Engine.Metering;
using Concertina.Compute.Engine.Scheduling;
using Concertina.Compute.Engine.Spill;
using Concertina.Compute.Engine.Undo;
using Concertina.Compute.KvCache;
using Concertina.Compute.Model;

namespace Concertina.Compute.Engine;

/// <summary>What the stages of a step share. Engine thread only, except the intake.</summary>
internal sealed class EngineState
{
    private readonly bool[] _isQuick;

    public EngineState(PagedKvCache cache, ModelConfig model, EngineOptions options, EngineServices services, Action wake)
    {
        Cache = cache;
        Options = options;
        Time = services.Time;
        Desk = services.Pages is { } pages ? new PageDesk(pages, SpillReserve.Declare(cache, options, pages), wake, services.Manual) : null;
        Commitments = new CommitmentTable(cache, model.ContextLength, options.StepTokens);
        Ladder = new EngineLadder(services.Ladder ?? EngineLadder.Of(cache, services.Profile), options.DefaultFloorNats);
        _isQuick = [.. Enumerable.Range(0, cache.Rungs.Count).Select(rung => ReflexLadders.IsQuick(cache.Rungs[rung]))];
        Curve = ReflexLadders.All(cache, Ladder, new PlanOptions());
        Intake = new Intake(new RequestRules(model, Commitments, Ladder, Curve, options.DefaultNewTokens), options, Time, wake);
        Ledger = new CommitmentLedger(Commitments.CapacityBytes, options.MaxRunning);
        Queue = new WaitingQueue(Clocks);
        Undos = new UndoQueue(cache, Commitments, Ledger, options.HighWatermark);
        Spills = new SpillQueue(cache, Desk, Idle);
        ByteWeights = new ByteWeights(Clocks, Time);
        Meter = new KvMeter(cache.Interior.Units.Accounts, Time);
        Slots = new SlotReserve(cache, Commitments, Ledger, Undos, Spills);
        Wakes = new WakeStage(cache, Desk, Time, Slots) { SliceBytes = options.UrgentSliceBytes };
        Slots.TryGiveWay = Wakes.TryGiveWay;
        Spills.ReleasedQueued = Wakes.Begin;
        Running = new List<Run>(options.MaxRunning);
    }

    public PagedKvCache Cache { get; }

    public EngineOptions Options { get; }

    public TimeProvider Time { get; }

    public CommitmentTable Commitments { get; }

    /// <summary>The rungs of the model, lossless first.</summary>
    public EngineLadder Ladder { get; }

    /// <summary>The same as the plan sees them.</summary>
    public PlanLadder Curve { get; }

    public Intake Intake { get; }

    public CommitmentLedger Ledger { get; }

    public FairClocks Clocks { get; } = new();

    public WaitingQueue Queue { get; }

    /// <summary>What their bytes cost tenants of their turns.</summary>
    public ByteWeights ByteWeights { get; }

    /// <summary>What tenants hold of the cache over time.</summary>
    public KvMeter Meter { get; }

    public IdleSequences Idle { get; } = new();

    public SlotReserve Slots { get; }

    /// <summary>What spilling and waking share; null: there are no page files.</summary>
    public PageDesk? Desk { get; }

    /// <summary>Sequences on their way to their page files.</summary>
    public SpillQueue Spills { get; }

    /// <summary>Requests whose sequences are restored from page files.</summary>
    public WakeStage Wakes { get; }

    /// <summary>Sequences whose units are not all at their rung yet.</summary>
    public SqueezeQueue Squeezes { get; } = new();

    /// <summary>Whether a sequence is on its way to a rung that is quick to encode, so that its bytes come free soon.</summary>
    public bool IsQuick(Sequence sequence) => sequence.Table is { } table && _isQuick[table.Rung];

    /// <summary>Whether there is such a sequence.</summary>
    public bool HasQuickSqueezes
    {
        get
        {
            foreach (Sequence sequence in Squeezes)
            {
                if (IsQuick(sequence))
                {
                    return true;
                }
            }
            return false;
        }
    }

    /// <summary>Sequences that are to get a better rung back.</summary>
    public UndoQueue Undos { get; }

    /// <summary>Admitted, in order of admission.</summary>
    public List<Run> Running { get; }

    /// <summary>Figures of the last step, for any thread.</summary>
    public ReadingsBoard Board { get; } = new();

    /// <summary>Bytes of units that nobody would give up without a loss: all but unreferenced prefix columns.</summary>
    public long LiveBytes => Cache.Interior.Arena.LiveBytes - Cache.UnreferencedPrefixBytes;

    /// <summary>Whether more than these seconds passed.</summary>
    public bool IsOver(long? since, double seconds, long now) =>
        since is { } start && Time.GetElapsedTime(start, now).TotalSeconds > seconds;

    // Its promise counts its floor; until memory is short it may be on a better rung.
    private void CheckPromise(Run run)
    {
        bool onFloor = run.Table.Rung >= run.Bounds.DeepestRung && run.Table.CommittedRung >= run.Bounds.DeepestRung && !run.Sequence.Squeezing;
        long most = onFloor ? run.HeldBytes : Math.Max(run.HeldBytes, Commitments.Bytes(run.HeldTokens, rung: 0));
        if (run.Table.Bytes > most || run.Table.TokenCount > run.HeldTokens)
        {
            throw new InvalidOperationException(
                $"Request {run.Spec.RequestId} holds {run.Table.Bytes:N0} bytes for {run.Table.TokenCount} tokens; " +
                $"it may hold {most:N0} bytes for {run.HeldTokens} tokens.");
        }
    }

    /// <summary>Throws if a law that holds between two steps is broken.</summary>
    /// <exception cref="InvalidOperationException">The message names the law with its values.</exception>
    public void CheckLaws()
    {
        Ledger.Check();
        if (Ledger.SumBytes > Cache.CommittableBytes)
        {
            throw new InvalidOperationException(
                $"{Ledger.SumBytes:N0} bytes are promised; the cache can keep promises of {Cache.CommittableBytes:N0} bytes.");
        }
        foreach (Run run in Running)
        {
            CheckPromise(run);
        }
        if (Queue.Count > Options.QueueLimit || Running.Count > Options.MaxRunning)
        {
            throw new InvalidOperationException(
                $"{Queue.Count} requests wait of {Options.QueueLimit} that may, {Running.Count} run of {Options.MaxRunning} that may.");
        }
    }
}
