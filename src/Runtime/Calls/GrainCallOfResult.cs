using System.Runtime.ExceptionServices;
using Concertina.Runtime.Hosting;

namespace Concertina.Runtime.Calls;

/// <summary>A request with a typed answer.</summary>
internal abstract class GrainCall<T>(GrainProxy proxy, GrainMethod method) : GrainCall(proxy, method)
{
    private readonly TaskCompletionSource<T> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal Task<T> Answer => _answer.Task;

    internal override bool IsAnswered => _answer.Task.IsCompleted;

    internal override void Start()
    {
        InstallContext();
        ValueTask<T> running;
        try
        {
            running = RunAsync();
        }
        catch (Exception exception)
        {
            End(exception);
            return;
        }

        if (running.IsCompletedSuccessfully)
        {
            End(running.Result);
        }
        else
        {
            _ = AwaitAsync(running);
        }
    }

    /// <summary>What the request does, on the callee's turns. The result already belongs to the caller.</summary>
    protected abstract ValueTask<T> RunAsync();

    protected override bool TryAnswer(Exception exception) => _answer.TrySetException(exception);

    protected override bool TryAnswerCanceled(CancellationToken token) => _answer.TrySetCanceled(token);

    /// <summary>Runs when the callee has ended, whatever the caller saw.</summary>
    protected virtual void Release()
    {
    }

    private async Task AwaitAsync(ValueTask<T> running)
    {
        T result;
        try
        {
            result = await running;
        }
        catch (Exception exception)
        {
            End(exception);
            return;
        }

        End(result);
    }

    // The callee is free before the caller knows, so that the caller's next call does not find it busy.
    private void End(T result)
    {
        Release();
        At!.Finish(this);
        if (_answer.TrySetResult(result))
        {
            Answered("ok");
        }
    }

    private void End(Exception exception)
    {
        Release();
        At!.Finish(this);
        Exception crossing = Silo.Exceptions.Cross(exception);
        ExceptionDispatchInfo.SetRemoteStackTrace(crossing, exception.StackTrace ?? "");
        Fail(crossing);
    }
}
