using System.Diagnostics;
using Concertina.Runtime.Activations;
using Concertina.Runtime.Hosting;
using Concertina.Runtime.Waiting;
using Orleans.Runtime;

namespace Concertina.Runtime.Calls;

/// <summary>
/// One request on its way: from the caller into a mailbox, through its turns, back to the caller. Answered once; the
/// caller may be answered (cancelled, timed out) before the callee has ended.
/// </summary>
internal abstract class GrainCall : WorkItem
{
    private CancellationTokenRegistration _registration;
    private long _sentAt;

    protected GrainCall(GrainProxy proxy, GrainMethod method)
    {
        Silo = proxy.Silo;
        Target = proxy.Target;
        Method = method;
        Context = RequestContext.Snapshot();
        Activity = Activity.Current;
    }

    internal Silo Silo { get; }

    internal GrainId Target { get; }

    internal GrainMethod Method { get; }

    internal Dictionary<string, object>? Context { get; private set; }

    internal Activity? Activity { get; }

    internal DeadlineQueue.Entry? Deadline { get; set; }

    /// <summary>False: the call is for the activation that is there; it makes no new one.</summary>
    internal virtual bool Activates => true;

    internal override bool Counts => true;

    internal TimeSpan ResponseTimeout => Method.Timeout ?? Silo.Options.ResponseTimeout;

    /// <summary>The caller has its answer.</summary>
    internal abstract bool IsAnswered { get; }

    internal string Name => $"{Target}.{Method.Name}";

    /// <summary>Begins to watch the caller's token and clock. False when the token is cancelled already.</summary>
    internal bool Begin(CancellationToken token)
    {
        _sentAt = Silo.Metrics.MeasuresCalls ? Silo.Time.GetTimestamp() : 0;
        if (Context is not null)
        {
            Context = Silo.Serializer.CopyContext(Context);
        }

        if (Silo.Detector is not null)
        {
            Frame = CallFrame.Begin(this);
        }

        if (token.CanBeCanceled)
        {
            if (token.IsCancellationRequested)
            {
                Cancel(token);
                return false;
            }

            _registration = token.UnsafeRegister(static (state, token) => ((GrainCall)state!).Cancel(token), this);
        }

        Silo.Deadlines.Add(this, ResponseTimeout);
        return true;
    }

    /// <summary>Answers with an exception that already crossed.</summary>
    internal void Fail(Exception exception)
    {
        if (TryAnswer(exception))
        {
            Answered("error");
        }
    }

    /// <summary>The caller gave up: it is told at once, the callee soon.</summary>
    internal void Cancel(CancellationToken token)
    {
        if (TryAnswerCanceled(token))
        {
            Answered("cancelled");
            Withdraw(cancelCallee: true);
        }
    }

    /// <summary>The response timeout is over.</summary>
    internal void TimeOut()
    {
        string state = List is not null ? "still waits in the mailbox" : "was being processed";
        if (TryAnswer(new TimeoutException(
            $"No answer from {Name} within {ResponseTimeout.TotalSeconds:0.###} s; the request {state}. The outcome is unknown.")))
        {
            Silo.Metrics.TimedOut(Method);
            RuntimeLog.CallTimedOut(Silo.Log, Name, ResponseTimeout.TotalSeconds, state);
            Answered("timeout");
            Withdraw(Silo.Options.CancelRequestOnTimeout);
        }
    }

    /// <summary>Tells the callee that nobody waits any more.</summary>
    internal abstract void CancelCallee();

    protected abstract bool TryAnswer(Exception exception);

    protected abstract bool TryAnswerCanceled(CancellationToken token);

    /// <summary>Restores what crosses with a call on the callee's turn.</summary>
    protected void InstallContext()
    {
        if (Context is not null)
        {
            RequestContext.Install(Context);
        }

        if (Activity is not null)
        {
            Activity.Current = Activity;
        }

        Frame?.Install();
    }

    protected void Answered(string outcome)
    {
        _registration.Unregister();
        Deadline?.Remove();
        Frame?.End();
        if (_sentAt != 0)
        {
            Silo.Metrics.Called(Method, Silo.Time.GetElapsedTime(_sentAt), outcome);
        }
    }

    private void Withdraw(bool cancelCallee)
    {
        if (At is { } activation && !activation.Mailbox.Remove(this) && cancelCallee)
        {
            activation.Scheduler.Post(CancelCallee);
        }
    }
}
