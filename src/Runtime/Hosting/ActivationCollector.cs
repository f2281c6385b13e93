using Concertina.Runtime.Activations;
using Orleans;

namespace Concertina.Runtime.Hosting;

/// <summary>Ends idle activations, and all of them when the silo stops.</summary>
internal sealed class ActivationCollector(Silo silo) : IDisposable
{
    private ITimer? _timer;

    /// <inheritdoc/>
    public void Dispose() => _timer?.Dispose();

    internal void Start()
    {
        TimeSpan quantum = silo.Options.CollectionQuantum;
        using AsyncFlowControl flow = ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow();
        _timer = silo.Time.CreateTimer(static state => ((ActivationCollector)state!).Collect(), this, quantum, quantum);
    }

    /// <summary>Ends everything, side by side; gives up when the token says so.</summary>
    internal async Task EndAllAsync(CancellationToken cancellation)
    {
        DeactivationReason reason = new(DeactivationReasonCode.ShuttingDown, "The silo stops.");
        Activation[] all = silo.Catalog.Snapshot();
        foreach (Activation activation in all)
        {
            activation.Deactivate(reason, cancellation);
        }

        try
        {
            await Task.WhenAll(all.Select(activation => activation.Deactivated)).WaitAsync(cancellation);
        }
        catch (OperationCanceledException)
        {
            RuntimeLog.ShutdownCutShort(silo.Log, silo.Catalog.Count);
        }
    }

    private void Collect()
    {
        foreach (Activation activation in silo.Catalog.Snapshot())
        {
            if (activation.IsCollectable())
            {
                activation.Deactivate(new DeactivationReason(DeactivationReasonCode.ActivationIdle, "Nobody called for longer than the collection age."));
            }
        }
    }
}
