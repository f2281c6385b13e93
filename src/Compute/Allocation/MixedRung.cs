namespace Concertina.Compute.Allocation;

/// <summary>A rung as <see cref="DistortionMix"/> sees it.</summary>
/// <param name="Distortion">Distortion of a sequence that is all on it, nats per token.</param>
/// <param name="Evicts">Whether it evicts slots.</param>
public readonly record struct MixedRung(double Distortion, bool Evicts);
