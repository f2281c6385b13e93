using Concertina.Runtime.Calls;

namespace Concertina.Runtime.Waiting;

/// <summary>
/// Finds cycles of waiting when a call has to wait in a mailbox. Treats every unanswered call as awaited, and takes
/// one lock per call: for tests, not for production.
/// </summary>
internal sealed class DeadlockDetector
{
    private readonly Lock _gate = new();

    internal void Begun(CallFrame frame)
    {
        lock (_gate)
        {
            frame.Caller?.Awaited.Add(frame);
        }
    }

    internal void EndedCall(CallFrame frame)
    {
        lock (_gate)
        {
            frame.Caller?.Awaited.Remove(frame);
        }
    }

    /// <summary>Fails the call if it closes a cycle.</summary>
    internal void Check(GrainCall call)
    {
        List<CallFrame> chain = [];
        lock (_gate)
        {
            if (call.Frame is not { Caller: not null } frame || !frame.Waits || !Reaches(frame, frame, chain, []))
            {
                return;
            }
        }

        chain.Reverse();
        string names = string.Join(" -> ", chain.Append(chain[0]).Select(link => link.Name));
        if (call.At!.Mailbox.Remove(call))
        {
            call.Fail(new DeadlockException(
                $"Deadlock: these calls wait for each other: {names}. Break the chain, or mark a method [AlwaysInterleave]."));
        }
    }

    private static bool Reaches(CallFrame from, CallFrame goal, List<CallFrame> chain, HashSet<CallFrame> seen)
    {
        if (!seen.Add(from) || from.Ended)
        {
            return false;
        }

        IEnumerable<CallFrame> next = from.Waits
            ? from.At?.Mailbox.Blocker is { } blocker ? [blocker] : []
            : from.Awaited;
        foreach (CallFrame step in next)
        {
            if (step == goal || Reaches(step, goal, chain, seen))
            {
                chain.Add(from);
                return true;
            }
        }

        return false;
    }
}
