using Orleans.Runtime;

namespace Concertina.Runtime.Enumerations;

/// <summary>One running iterator of an activation. Touched only on its turns.</summary>
internal abstract class Enumeration
{
    /// <summary>Timestamp of the end of the last pull.</summary>
    internal long LastPull { get; set; }

    /// <summary>A pull waits for the iterator now.</summary>
    internal bool Pulled { get; set; }

    /// <summary>Cancels the iterator and disposes it as soon as it has stopped; pulls fail with the reason.</summary>
    internal abstract Task StopAsync(EnumerationAbortedException? reason);
}
