namespace Concertina.Runtime.Calls;

/// <summary>A call of a grain method.</summary>
internal sealed class MethodCall<T>(GrainProxy proxy, GrainMethod<T> method, object?[] arguments) : GrainCall<T>(proxy, method)
{
    private CancellationTokenSource? _calleeToken;

    internal override bool Interleaves => Method.Interleaves;

    internal override void CancelCallee() => Volatile.Read(ref _calleeToken)?.Cancel();

    protected override ValueTask<T> RunAsync()
    {
        if (Method.TokenIndex >= 0)
        {
            Volatile.Write(ref _calleeToken, new CancellationTokenSource());
            arguments[Method.TokenIndex] = _calleeToken!.Token;
        }

        // After the token exists: a caller that gives up from here on finds it, one that did before is seen here.
        return IsAnswered ? default : CopyAsync(method.Run(At!.GrainInstance!, arguments));
    }

    // The source stays undisposed: a late cancel may still come, and it holds no timer.
    private ValueTask<T> CopyAsync(ValueTask<T> running) => running.IsCompletedSuccessfully
        ? new ValueTask<T>(method.CopyResult(running.Result))
        : AwaitAsync(running);

    private async ValueTask<T> AwaitAsync(ValueTask<T> running) => method.CopyResult(await running);
}
