namespace Concertina.Runtime.Enumerations;

/// <summary>What a pull brought.</summary>
internal enum BatchKind
{
    /// <summary>One element or more; more may follow.</summary>
    Elements,

    /// <summary>Nothing yet: the stream lives, pull again.</summary>
    Heartbeat,

    /// <summary>Elements, perhaps none, and the end.</summary>
    Completed,
}
