namespace Concertina.Compute.Engine;

/// <summary>Outcome of <see cref="SequenceHandle.SubmitAsync"/>: exactly one of the two is set.</summary>
/// <param name="Generation">The accepted generation.</param>
/// <param name="Refusal">Why it was not accepted.</param>
public readonly record struct SubmitResult(Generation? Generation, EngineRefusal? Refusal);
