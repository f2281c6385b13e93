using System.Runtime.InteropServices;
using Concertina.Compute.Allocation;
using Concertina.Compute.Engine.Scheduling;
using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Transcoding;

namespace Concertina.Compute.Engine.Elastic;

/// <summary>
/// The worker's own answer to pressure, always active: above the high watermark it squeezes sessions, the idle and light ones
/// first, by quick codecs until the low watermark is in sight. When a sequence waits for memory and nobody can be squeezed
/// quickly, idle sequences are spilled; where none can be, it squeezes by all codecs, and at last everybody to the floors that
/// commitments are made of. Only then are idle sequences dropped. Engine thread only, between steps; in the steady state it
/// looks at two numbers.
/// </summary>
internal sealed class Reflex
{
    private readonly EngineState _state;
    private readonly ReflexRule _quick;
    private readonly ReflexRule _all;
    private readonly PlanLadder _ladder;
    private readonly long _stepBytes;
    private readonly List<Sequence> _sequences = [];
    private readonly List<PlanSession> _sessions = [];
    private int[] _rungs = [];
    private int _running;

    public Reflex(EngineState state)
    {
        _state = state;
        PlanOptions options = new() { Hysteresis = 0 };
        _ladder = ReflexLadders.All(state.Cache, state.Ladder, options);
        _all = new ReflexRule(_ladder);
        _quick = new ReflexRule(ReflexLadders.Quick(state.Cache, state.Ladder, options));
        // What a full step of prompts takes: less is not worth a wait.
        _stepBytes = state.Cache.CommitmentBytes(state.Options.StepTokens);
        Right = AtEase;
    }

    /// <summary>Times it squeezed; each outdates the plans made elsewhere before.</summary>
    public long Count { get; private set; }

    /// <summary>How idle sequences may be made to give way, as of the last look.</summary>
    public ReclaimRight Right { get; private set; }

    // Without rungs there is nothing to wait for.
    private ReclaimRight AtEase => _ladder.Count == 1 ? ReclaimRight.Drop : ReclaimRight.None;

    /// <summary>Looks at the memory and squeezes if it has to.</summary>
    /// <param name="waits">Whether a sequence waits for memory.</param>
    /// <param name="squeezing">Whether the last slice of transcoding came further.</param>
    /// <returns>True when it gave somebody a deeper rung.</returns>
    public bool Run(bool waits, bool squeezing)
    {
        double capacity = _state.Commitments.CapacityBytes; // that of a smaller budget on the way, too
        double used = _state.LiveBytes;
        Right = AtEase;
        if (_ladder.Count == 1 || (!waits && used < _state.Options.HighWatermark * capacity))
        {
            return false;
        }
        double low = Math.Min(_state.Options.LowWatermark, _state.Options.HighWatermark);
        double needed = Math.Max(used - (low * capacity), waits ? _stepBytes : 0);
        // What was begun counts as done, unless it comes no further, or is too slow for those who wait.
        double coming = squeezing ? ComingBytes(quickAlone: waits) : 0;
        if (needed <= coming)
        {
            return false;
        }
        Gather();
        bool moved = Squeeze(_quick, needed - coming) || (waits && coming < _stepBytes && SqueezeSlowly(needed, squeezing));
        Count += moved ? 1 : 0;
        _sequences.Clear();
        return moved;
    }

    // Nobody can be squeezed quickly and somebody waits: idle sequences are spilled, or what is slow is begun, or they are dropped.
    private bool SqueezeSlowly(double needed, bool squeezing)
    {
        Right = ReclaimRight.Spill;
        if (_state.Spills.CanGoOn)
        {
            return false;
        }
        double coming = squeezing ? ComingBytes(quickAlone: false) : 0;
        bool moved = needed > coming && (Squeeze(_all, needed - coming) || ToFloors());
        Right = moved || coming >= _stepBytes ? ReclaimRight.None : ReclaimRight.Drop;
        return moved;
    }

    // Bytes that come free when the sequences on their way are where they were told to go.
    private double ComingBytes(bool quickAlone)
    {
        double bytes = 0;
        foreach (Sequence sequence in _state.Squeezes)
        {
            if (sequence.Table is { } table && (!quickAlone || _state.IsQuick(sequence)))
            {
                bytes += Math.Max(0, table.Bytes - _ladder.Bytes(Session(sequence, table, idleSeconds: 0), table.Rung));
            }
        }
        return bytes;
    }

    private void Gather()
    {
        _sequences.Clear();
        _sessions.Clear();
        foreach (Run run in _state.Running)
        {
            Add(run.Sequence, idleSeconds: 0);
        }
        _running = _sessions.Count;
        long now = _state.Time.GetTimestamp();
        foreach (Sequence sequence in _state.Idle.ByAge)
        {
            Add(sequence, _state.Time.GetElapsedTime(sequence.IdleSince, now).TotalSeconds);
        }
        if (_rungs.Length < _sessions.Count)
        {
            _rungs = new int[2 * _sessions.Count];
        }
    }

    private void Add(Sequence sequence, double idleSeconds)
    {
        _sequences.Add(sequence);
        _sessions.Add(Session(sequence, sequence.Table!, idleSeconds));
    }

    // Nothing goes up here: a table that was told to go deeper is taken to be there.
    private static PlanSession Session(Sequence sequence, PageTable table, double idleSeconds) => new(
        table.TokenCount, SharedBytes: 0, table.Rung, Math.Max(table.Rung, sequence.DeepestRung), sequence.Weight, Math.Max(0, idleSeconds), MayRise: false);

    private bool Squeeze(ReflexRule rule, double excessBytes)
    {
        Span<PlanSession> all = CollectionsMarshal.AsSpan(_sessions);
        int moves = rule.Choose(all, _running, excessBytes, _rungs.AsSpan(0, all.Length));
        for (int session = 0; moves > 0 && session < all.Length; session++)
        {
            if (_rungs[session] > all[session].Rung)
            {
                Move(_sequences[session], _rungs[session]);
            }
        }
        return moves > 0;
    }

    // What commitments promise to fit: every session on its floor, pages that a guard kept in a finer form among them.
    private bool ToFloors()
    {
        bool moved = false;
        foreach (Sequence sequence in _sequences)
        {
            PageTable table = sequence.Table!;
            bool gains = Squeezer.LimitColumn(table.TokenCount) > Squeezer.SinkColumns; // else all of it is exact on every rung
            if ((gains && table.Rung < sequence.DeepestRung) || (table.GuardedUnits > 0 && table.CommittedRung != sequence.DeepestRung))
            {
                Squeezer.Commit(table, sequence.DeepestRung);
                Move(sequence, Math.Max(table.Rung, sequence.DeepestRung));
                moved = true;
            }
        }
        return moved;
    }

    private void Move(Sequence sequence, int rung)
    {
        _state.Undos.Drop(sequence); // until somebody who sees more of the memory assigns it a better rung again
        Squeezer.SetRung(sequence.Table!, rung);
        _state.Squeezes.Add(sequence);
    }
}
