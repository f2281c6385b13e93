namespace Concertina.Compute.Store;

/// <summary>What a session file gave.</summary>
/// <param name="Tokens">The tokens of its whole records; empty when nothing can be used.</param>
/// <param name="Fault">What was wrong, if anything.</param>
/// <param name="Detail">Values for the log: offsets, versions, the system's message; empty without a fault. Never token ids.</param>
public readonly record struct SessionTokens(int[] Tokens, SessionFileFault Fault, string Detail);
