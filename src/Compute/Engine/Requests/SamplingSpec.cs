namespace Concertina.Compute.Engine;

/// <summary>How the next token is drawn.</summary>
/// <param name="Temperature">0 is greedy.</param>
/// <param name="TopK">Keeps the k most likely tokens; 0 is off.</param>
/// <param name="TopP">Keeps the smallest set that reaches this probability, in (0, 1]; 1 is off.</param>
/// <param name="MinP">Drops tokens below this share of the most likely one, in [0, 1]; 0 is off.</param>
/// <param name="Seed">Key of the counter-based generator; the counter is the position.</param>
public readonly record struct SamplingSpec(float Temperature, int TopK, float TopP, float MinP, long Seed)
{
    /// <summary>Always the most likely token; ties go to the lower id.</summary>
    public static SamplingSpec Greedy => new(0, 0, 1, 0, 0);
}
