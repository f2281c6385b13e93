using Concertina.Compute.Engine;

namespace Concertina.Compute.Inspection;

/// <summary>One rung of a model: what it takes at some lengths, and what it was measured to cost.</summary>
/// <param name="Facts">What a request is told of it.</param>
/// <param name="OnLadder">True when sessions are squeezed to it unless the options say otherwise.</param>
/// <param name="Lengths">Bytes at each length asked for.</param>
public sealed record RungInspection(KvRungFacts Facts, bool OnLadder, IReadOnlyList<LengthFacts> Lengths);
