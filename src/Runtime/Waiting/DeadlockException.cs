using Orleans.Runtime;

namespace Concertina.Runtime.Waiting;

/// <summary>Calls wait for each other in a cycle; the message names it. Thrown only where the detector is on.</summary>
/// <param name="message">Names the chain.</param>
public sealed class DeadlockException(string message) : OrleansException(message);
