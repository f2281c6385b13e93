namespace Concertina.Compute.Allocation;

/// <summary>What a plan comes to.</summary>
/// <param name="Bytes">Bytes of all sessions on their planned rungs.</param>
/// <param name="ShortBytes">Bytes that are missing when every session is on its floor; 0: the plan fits.</param>
/// <param name="Cost">Weighted distortion, attention and encoding counted in, in nats per token times weight.</param>
/// <param name="Moves">Sessions whose planned rung is another than their present one.</param>
public readonly record struct PlanSummary(double Bytes, double ShortBytes, double Cost, int Moves);
