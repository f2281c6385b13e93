namespace Concertina.Compute.Bench;

/// <summary>What <see cref="UndoBenchmark"/> found; the best of its repeats.</summary>
/// <param name="Tokens">Tokens of the session.</param>
/// <param name="Rung">Rung it was squeezed to.</param>
/// <param name="PrefillTokensPerSecond">Tokens per second of a prompt of that length on an idle engine.</param>
/// <param name="UndoTokensPerSecond">Tokens per second computed anew on an idle engine, from the assignment to the swap.</param>
public sealed record UndoResult(int Tokens, string Rung, double PrefillTokensPerSecond, double UndoTokensPerSecond);
