namespace Concertina.Compute.Engine.Sampling;

/// <summary>What a step gave one sequence.</summary>
/// <param name="Token">The token drawn.</param>
/// <param name="HasLogits">False while its prompt is being computed.</param>
/// <param name="Finite">False when the logits are no numbers.</param>
internal readonly record struct SampledToken(int Token, bool HasLogits, bool Finite)
{
    public bool IsToken => HasLogits && Finite;
}
