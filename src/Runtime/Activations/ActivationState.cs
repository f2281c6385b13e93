namespace Concertina.Runtime.Activations;

/// <summary>Where an activation is in its life.</summary>
internal enum ActivationState
{
    /// <summary>Is being constructed, reads its state, runs OnActivateAsync.</summary>
    Activating,

    /// <summary>Serves requests.</summary>
    Active,

    /// <summary>Lets running requests end, runs OnDeactivateAsync.</summary>
    Deactivating,

    /// <summary>Has ended.</summary>
    Ended,
}
