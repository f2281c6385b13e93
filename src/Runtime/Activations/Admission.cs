namespace Concertina.Runtime.Activations;

/// <summary>What a mailbox said to a new item.</summary>
internal enum Admission
{
    /// <summary>It will start when it may.</summary>
    Accepted,

    /// <summary>The mailbox is full.</summary>
    Full,

    /// <summary>The activation has ended; another one takes the item.</summary>
    Closed,
}
