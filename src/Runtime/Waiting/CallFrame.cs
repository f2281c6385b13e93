using Concertina.Runtime.Activations;
using Concertina.Runtime.Calls;

namespace Concertina.Runtime.Waiting;

/// <summary>What the deadlock detector knows of one call, tick or lifecycle step: where it is and which calls it awaits.</summary>
internal sealed class CallFrame(Activation? at, string name, GrainCall? call)
{
    private static readonly AsyncLocal<CallFrame?> Current = new();

    private readonly Activation? _at = at;
    private volatile bool _ended;

    internal string Name { get; } = name;

    internal GrainCall? Call { get; } = call;

    internal CallFrame? Caller { get; private set; }

    /// <summary>Unanswered calls made from here. Guarded by the detector's lock.</summary>
    internal HashSet<CallFrame> Awaited { get; } = [];

    internal bool Ended => _ended;

    internal Activation? At => Call?.At ?? _at;

    /// <summary>Waits in a mailbox.</summary>
    internal bool Waits => Call is { List: not null };

    internal static CallFrame Begin(GrainCall call)
    {
        CallFrame frame = new(null, call.Name, call) { Caller = Current.Value };
        call.Silo.Detector!.Begun(frame);
        return frame;
    }

    /// <summary>A lifecycle step: what it calls must not need this activation.</summary>
    internal static CallFrame Enter(Activation activation, string step)
    {
        CallFrame frame = new(activation, $"{activation.GrainId}.{step}", null);
        frame.Install();
        return frame;
    }

    internal void Install() => Current.Value = this;

    internal void End()
    {
        _ended = true;
        if (Call is not null)
        {
            Call.Silo.Detector!.EndedCall(this);
        }
    }
}
