namespace Orleans.Runtime;

/// <summary>One activation as seen from inside the grain.</summary>
public interface IGrainContext : IEquatable<IGrainContext>
{
    /// <summary>Identity of the grain.</summary>
    GrainId GrainId { get; }

    /// <summary>The grain object; null until it is constructed.</summary>
    object? GrainInstance { get; }

    /// <summary>Services of this activation's scope.</summary>
    IServiceProvider ActivationServices { get; }

    /// <summary>Completes when the activation has ended.</summary>
    Task Deactivated { get; }

    /// <summary>Ends the activation once its running requests are done.</summary>
    /// <param name="deactivationReason">Handed to OnDeactivateAsync.</param>
    /// <param name="cancellationToken">Cancels the token of OnDeactivateAsync.</param>
    void Deactivate(DeactivationReason deactivationReason, CancellationToken cancellationToken = default);
}
