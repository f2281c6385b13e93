using Concertina.Compute.Allocation;
using Concertina.Compute.Engine.Metering;
using Concertina.Compute.Engine.Scheduling;
using Concertina.Compute.Engine.Spill;
using Concertina.Compute.Engine.Undo;
using Concertina.Compute.KvCache;

namespace Concertina.Compute.Engine;

/// <summary>State of one open sequence: plain data. Each member says who may touch it.</summary>
internal sealed class Sequence(SequenceIdentity identity, PlanLadder curve)
{
    private int _namedRung;
    private int _named;
    private int _warmTokens;
    private long _kvBytes;
    private volatile bool _exact = true;
    private volatile int _rung;
    private volatile int _target;
    private volatile int _floor;
    private volatile bool _mayRise;
    private double _weight = 1;
    private volatile bool _running;
    private long _epoch = -1;

    public SequenceIdentity Identity { get; } = identity;

    /// <summary>Guards the members that the outside and the engine share; held for moments, never while waiting.</summary>
    public Lock Gate { get; } = new();

    /// <summary>The generation that is queued or runs. Set by its submit, cleared by the engine; under the gate.</summary>
    public TokenStream? Current { get; set; }

    /// <summary>The generation that ended last; under the gate.</summary>
    public TokenStream? Last { get; set; }

    /// <summary>True once its handle was disposed; under the gate.</summary>
    public bool Closed { get; set; }

    /// <summary>The engine's while <see cref="Current"/> is set, else under the gate.</summary>
    public TokenList Tokens { get; } = new();

    /// <summary>Engine thread only; null while nothing is in the arena.</summary>
    public PageTable? Table { get; set; }

    /// <summary>Engine thread only: who pays for its table; set with its first request.</summary>
    public TenantMeter? Meter { get; set; }

    /// <summary>Engine thread only: what is queued or runs.</summary>
    public Run? CurrentRun { get; set; }

    /// <summary>Engine thread only: place in the list of idle sequences, or null.</summary>
    public LinkedListNode<Sequence>? IdlePlace { get; set; }

    /// <summary>Engine thread only: rung it was told to move to; 0: none.</summary>
    public int AssignedRung { get; set; }

    /// <summary>Engine thread only: deepest rung its last request allows, and which its commitment counts.</summary>
    public int DeepestRung { get; set; }

    /// <summary>Engine thread only: rung its last request starts on; it is never let out beyond it.</summary>
    public int StartRung { get; set; }

    /// <summary>Engine thread only: what its distortion counts, by its last request (<see cref="GenerationSpec.PlanWeight"/>).</summary>
    public double Weight { get; set; } = 1;

    /// <summary>Engine thread only: when its last run ended.</summary>
    public long IdleSince { get; set; }

    /// <summary>
    /// Engine thread only: rung it is to be on, the assigned one within what its request allows, and not one from which its floor,
    /// whose bytes it is promised, is out of reach.
    /// </summary>
    public int WantedRung => Math.Max(StartRung, curve.NearestLeadingTo(DeepestRung, Math.Min(AssignedRung, DeepestRung)));

    /// <summary>Engine thread only: the way back to a better rung, or null.</summary>
    public UndoJob? Undo { get; set; }

    /// <summary>Epoch under which it is kept on disk; null: it is not. Any thread.</summary>
    public long? Epoch
    {
        get => Interlocked.Read(ref _epoch) is var epoch && epoch >= 0 ? epoch : null;
        set => Interlocked.Exchange(ref _epoch, value ?? -1);
    }

    /// <summary>Engine thread only: the copying of its units, or null.</summary>
    public SpillJob? Spill { get; set; }

    /// <summary>Engine thread only: the last spill, which may still be on its way to the disk.</summary>
    public SpillJob? LastSpill { get; set; }

    /// <summary>Engine thread only: true while it is in the queue of squeezes.</summary>
    public bool Squeezing { get; set; }

    /// <summary>Deepest rung any of its units was on, as of the last step.</summary>
    public int Rung => _rung;

    /// <summary>Rung it is on its way to, at least <see cref="Rung"/>, as of the last step.</summary>
    public int Target => _target;

    /// <summary>Deepest rung its last request allows, as of the last step.</summary>
    public int PublishedFloor => _floor;

    /// <summary>What its distortion counts, as of the last step.</summary>
    public double PublishedWeight => Volatile.Read(ref _weight);

    /// <summary>Whether its last request lets it out again, as of the last step.</summary>
    public bool MayRise => _mayRise;

    /// <summary>Tokens whose units are in the arena, as of the last step.</summary>
    public int WarmTokens => Volatile.Read(ref _warmTokens);

    /// <summary>Physical bytes of its table, as of the last step.</summary>
    public long KvBytes => Volatile.Read(ref _kvBytes);

    /// <summary>True while every column is exact, as of the last step.</summary>
    public bool Exact => _exact;

    /// <summary>True while a generation holds a commitment.</summary>
    public bool Running
    {
        get => _running;
        set => _running = value;
    }

    /// <summary>Names the rung it was told to move to; any thread.</summary>
    /// <returns>True when the engine has to be told; false when a command is on its way.</returns>
    public bool Name(int rung)
    {
        Volatile.Write(ref _namedRung, rung);
        return Interlocked.Exchange(ref _named, 1) == 0;
    }

    /// <summary>The rung named last; engine thread. What is named from now on is told again.</summary>
    public int TakeNamed()
    {
        Interlocked.Exchange(ref _named, 0);
        return Volatile.Read(ref _namedRung);
    }

    /// <summary>Publishes what the table holds; engine thread, once per step in which it changed.</summary>
    public void PublishTable()
    {
        Volatile.Write(ref _warmTokens, Table?.TokenCount ?? 0);
        Volatile.Write(ref _kvBytes, Table?.Bytes ?? 0);
        _rung = Table?.ReachedRung ?? 0;
        _target = Math.Max(_rung, Table?.Rung ?? 0);
        (_floor, _mayRise) = (DeepestRung, StartRung < DeepestRung || DeepestRung == 0);
        Volatile.Write(ref _weight, Weight);
        _exact = Table is null || Table.ExactTokens == Table.TokenCount;
    }
}
