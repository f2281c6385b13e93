using Concertina.Compute.Kernels;

namespace Concertina.Compute.KvCache.Codecs.XQuant;

/// <summary>Scale and minimum of a group, as one word of two halves.</summary>
internal static class LatentScale
{
    public static (float Scale, float Minimum) Of(uint word) =>
        (HalfConversion.ToSingle((ushort)word), HalfConversion.ToSingle((ushort)(word >> 16)));
}
