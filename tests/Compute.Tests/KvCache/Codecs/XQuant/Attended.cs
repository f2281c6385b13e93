namespace Concertina.Compute.Tests.KvCache.Codecs.XQuant;

/// <summary>What attention gave.</summary>
/// <param name="Outputs">Normalised, [rows, headDim].</param>
/// <param name="Maximum">[rows].</param>
/// <param name="Sum">[rows].</param>
/// <param name="Values">Unnormalised, [rows, headDim].</param>
/// <param name="Latents">Weighted sums of latents of the last run, [rows, stride].</param>
internal sealed record Attended(float[] Outputs, float[] Maximum, float[] Sum, float[] Values, float[] Latents);
