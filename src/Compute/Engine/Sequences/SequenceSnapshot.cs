namespace Concertina.Compute.Engine;

/// <summary>One sequence in a report.</summary>
/// <param name="Key">Its key.</param>
/// <param name="WarmTokens">Tokens with units in the arena.</param>
/// <param name="KvBytes">Physical bytes its table refers to.</param>
/// <param name="Running">True while it holds a commitment.</param>
/// <param name="Rung">Name of the deepest rung any of its units is on.</param>
public readonly record struct SequenceSnapshot(string Key, int WarmTokens, long KvBytes, bool Running, string Rung);
