namespace Concertina.Compute.Profile;

/// <summary>What a profile was calibrated on.</summary>
/// <param name="Seed">Seed of the training.</param>
/// <param name="TextHash">SHA-256 of the texts, hexadecimal.</param>
/// <param name="TrainingTokens">Tokens whose keys and values were trained on.</param>
/// <param name="MeasuredTokens">Tokens, others, on which rungs were measured.</param>
public sealed record CalibrationFacts(long Seed, string TextHash, long TrainingTokens, long MeasuredTokens);
