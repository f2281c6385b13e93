namespace Concertina.Compute.Store;

/// <summary>Outcome of saving a session's tokens.</summary>
/// <param name="Fault">Why nothing was saved, or <see cref="SessionFileFault.None"/>.</param>
/// <param name="Detail">Values for the log; empty without a fault.</param>
/// <param name="FileBytes">Length of the file afterwards.</param>
/// <param name="KeptTokens">Tokens that were in the file already and stayed.</param>
public readonly record struct SessionSave(SessionFileFault Fault, string Detail, long FileBytes, int KeptTokens);
