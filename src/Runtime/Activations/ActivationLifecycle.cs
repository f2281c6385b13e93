using Concertina.Runtime.Calls;
using Concertina.Runtime.Hosting;
using Concertina.Runtime.Waiting;
using Microsoft.Extensions.DependencyInjection;
using Orleans;
using Orleans.Runtime;

namespace Concertina.Runtime.Activations;

/// <summary>How an activation begins and ends. All of it runs as turns of the activation.</summary>
internal sealed class ActivationLifecycle(Activation activation)
{
    private AsyncServiceScope? _scope;

    internal object? Instance { get; private set; }

    internal IServiceProvider Services => _scope?.ServiceProvider ?? activation.Silo.Services;

    private Silo Silo => activation.Silo;

    internal async Task ActivateAsync()
    {
        try
        {
            EnterStep("OnActivateAsync");
            using CancellationTokenSource limit = new(Silo.Options.ActivationTimeout, Silo.Time);
            _scope = Silo.Services.CreateAsyncScope();
            _scope.Value.ServiceProvider.GetRequiredService<ActivationScope>().Activation = activation;
            object?[] states = activation.Class.CreateStates(activation);
            Instance = activation.Class.Construct(Services, states);
            foreach (object? state in states)
            {
                await ((Storage.IReadableState)state!).ReadAsync(limit.Token);
            }

            await ((IGrainBase)Instance).OnActivateAsync(limit.Token).WaitAsync(limit.Token);
        }
        catch (Exception exception)
        {
            await FailAsync(exception);
            return;
        }

        activation.Mailbox.Blocker = null;
        Silo.Metrics.Activated();
        RuntimeLog.Activated(Silo.Log, activation.GrainId);
        activation.Opened();
    }

    internal async Task DeactivateAsync(DeactivationReason reason, CancellationToken cancellation)
    {
        activation.DisposeTimers();
        using CancellationTokenSource limit = new(Silo.Options.DeactivationTimeout, Silo.Time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        await EndRunningAsync(limit.Token);
        try
        {
            EnterStep("OnDeactivateAsync");
            await ((IGrainBase)Instance!).OnDeactivateAsync(reason, either.Token).WaitAsync(limit.Token);
        }
        catch (Exception exception)
        {
            RuntimeLog.DeactivationFailed(Silo.Log, exception, activation.GrainId);
        }

        RuntimeLog.Deactivated(Silo.Log, activation.GrainId, reason.ReasonCode, reason.Description);
        Silo.Metrics.Deactivated(reason.ReasonCode);
        await EndAsync(call => Silo.Send(call));
    }

    // Streams are cut, not waited for; calls may end in their time, and are cancelled after it.
    private async Task EndRunningAsync(CancellationToken limit)
    {
        Task drained = activation.Mailbox.Drain();
        Task streams = activation.Enumerations.AbortAsync();
        try
        {
            await Task.WhenAll(drained, streams).WaitAsync(limit);
        }
        catch (OperationCanceledException)
        {
            RuntimeLog.RequestsOutlivedDeactivation(Silo.Log, activation.GrainId, Silo.Options.DeactivationTimeout.TotalSeconds);
            activation.Mailbox.CancelRunning();
        }
    }

    private async Task FailAsync(Exception exception)
    {
        RuntimeLog.ActivationFailed(Silo.Log, exception, activation.GrainId);
        Silo.Metrics.ActivationFailed();
        activation.DisposeTimers();
        Exception crossing = exception is OperationCanceledException
            ? new OrleansException($"Activation of {activation.GrainId} took longer than {Silo.Options.ActivationTimeout.TotalSeconds:0.###} s.", exception)
            : exception;
        await EndAsync(call => call.Fail(Silo.Exceptions.Cross(crossing)));
    }

    private async Task EndAsync(Action<GrainCall> moveOn)
    {
        await Silo.Directory.UnregisterAsync(activation.GrainId, Silo.Address);
        Silo.Catalog.Remove(activation);
        List<WorkItem> left = activation.Mailbox.Close();
        activation.Ended();
        foreach (WorkItem item in left)
        {
            if (item is GrainCall call)
            {
                moveOn(call);
            }
        }

        await DisposeAsync();
    }

    private async Task DisposeAsync()
    {
        try
        {
            switch (Instance)
            {
                case IAsyncDisposable disposable:
                    await disposable.DisposeAsync();
                    break;
                case IDisposable disposable:
                    disposable.Dispose();
                    break;
            }

            if (_scope is { } scope)
            {
                await scope.DisposeAsync();
            }
        }
        catch (Exception exception)
        {
            RuntimeLog.DeactivationFailed(Silo.Log, exception, activation.GrainId);
        }
    }

    private void EnterStep(string name)
    {
        if (Silo.Detector is not null)
        {
            activation.Mailbox.Blocker = CallFrame.Enter(activation, name);
        }
    }
}
