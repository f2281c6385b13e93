namespace Concertina.Compute.Store;

/// <summary>Whether sessions outlive the process.</summary>
public enum SessionPersistence
{
    /// <summary>Token ids are kept; a restart continues the session.</summary>
    On,

    /// <summary>Nothing of a session is written.</summary>
    Off,
}
