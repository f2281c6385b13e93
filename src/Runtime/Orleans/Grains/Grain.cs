using Concertina.Runtime.Activations;
using Orleans.Runtime;

namespace Orleans;

/// <summary>Base of grain classes: identity, lifecycle and access to other grains. One thread at a time runs in it.</summary>
public abstract class Grain : IGrainBase, IAddressable
{
    /// <summary>Takes the context of the activation that constructs this object.</summary>
    protected Grain()
    {
        GrainContext = ActivationScheduler.CurrentActivation!;
    }

    /// <summary>The activation this grain object belongs to; null when the object was made outside a host.</summary>
    public IGrainContext GrainContext { get; }

    /// <summary>Makes references to other grains.</summary>
    protected IGrainFactory GrainFactory => Activation.Of(this).Silo.Factory;

    /// <summary>Services of this activation's scope.</summary>
    protected IServiceProvider ServiceProvider => Activation.Of(this).ActivationServices;

    /// <inheritdoc cref="IGrainBase.OnActivateAsync"/>
    public virtual Task OnActivateAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc cref="IGrainBase.OnDeactivateAsync"/>
    public virtual Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Ends this activation once its running requests are done; later requests meet a new one.</summary>
    protected void DeactivateOnIdle() => GrainBaseExtensions.DeactivateOnIdle(this);

    /// <summary>Keeps the activation from idle collection for a time.</summary>
    /// <param name="timeSpan">From now; infinite: until withdrawn; zero or negative: withdraws an earlier delay.</param>
    protected void DelayDeactivation(TimeSpan timeSpan) => Activation.Of(this).DelayCollection(timeSpan);
}
