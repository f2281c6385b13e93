namespace Concertina.Compute.Evaluation;

/// <summary>What <see cref="RungSelfTest"/> found.</summary>
/// <param name="Failed">The rungs that are wrong on this model, each with what was found.</param>
/// <param name="NotRun">Why no rung could be tried; null: every rung was.</param>
public sealed record SelfTestResult(IReadOnlyDictionary<string, string> Failed, string? NotRun);
