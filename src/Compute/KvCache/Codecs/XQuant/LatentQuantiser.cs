using System.Runtime.Intrinsics;
using Concertina.Compute.Kernels;
using Concertina.Compute.KvCache.Codecs.RowQuant;

namespace Concertina.Compute.KvCache.Codecs.XQuant;

/// <summary>
/// Latents to parts: rounded to halves, then quantised by <see cref="RowQuantizer"/>, keys a channel over the page, values up to
/// 128 channels of a token. Source: https://arxiv.org/abs/2508.10395, sections 3.3.1 and 4.1.
/// </summary>
internal static class LatentQuantiser
{
    private const float LargestHalf = 65504f;
    private const int Slots = KvShape.PageTokens;

    /// <summary>
    /// Latents times factors, as halves: nearest even; a finite latent that no half holds becomes the largest. In place.
    /// </summary>
    /// <param name="latents">A multiple of 16.</param>
    /// <param name="factors">As many.</param>
    /// <param name="halves">Room for as many.</param>
    public static void Round(Span<float> latents, ReadOnlySpan<float> factors, Span<ushort> halves)
    {
        Vector256<float> limit = Vector256.Create(LargestHalf);
        for (int i = 0; i < latents.Length; i += Vector256<float>.Count)
        {
            Span<float> line = latents.Slice(i, Vector256<float>.Count);
            Vector256<float> x = Vector256.Create((ReadOnlySpan<float>)line) * Vector256.Create(factors.Slice(i, Vector256<float>.Count));
            // NaN and infinities stay: their product with 0 is not 0.
            Vector256<float> finite = Vector256.Equals(x * Vector256<float>.Zero, Vector256<float>.Zero);
            Vector256<float> clamped = Vector256.MinNative(Vector256.MaxNative(x, -limit), limit);
            Vector256.ConditionalSelect(finite, clamped, x).CopyTo(line);
        }
        HalfConversion.ToHalf(latents, halves);
        HalfConversion.ToSingle(halves[..latents.Length], latents);
    }

    /// <summary>Writes a key part from the first slots of rounded latents.</summary>
    /// <param name="latents">[width, 64].</param>
    /// <param name="slots">Slots that are filled; codes of the others are 0.</param>
    /// <param name="target">Where to.</param>
    /// <returns>False where a group is not finite; it then reads as NaN.</returns>
    public static bool Keys(ReadOnlySpan<float> latents, int slots, PartTarget target)
    {
        int width = latents.Length / Slots;
        Span<byte> codes = target.Codes[..latents.Length];
        codes.Clear();
        Span<uint> words = LatentPlanes.Words(target.Part);
        words.Clear();
        Span<uint> scales = words[LatentPlanes.CodeWords(width, target.Bits)..];
        bool finite = true;
        for (int channel = 0; channel < width && slots > 0; channel++)
        {
            finite &= RowQuantizer.TryQuantise(
                latents.Slice(channel * Slots, slots), new(target.Bits, 1f), codes[(channel * Slots)..], out scales[channel]);
        }
        LatentPlanes.Pack(KvSide.Keys, target.Bits, codes, words);
        return finite;
    }

    /// <summary>Writes a value part from the first slots of rounded latents.</summary>
    /// <param name="latents">[64, width].</param>
    /// <param name="size">Slots that are filled, and latents of a slot that count; codes of the others are 0.</param>
    /// <param name="target">Where to.</param>
    /// <returns>False where a group is not finite; it then reads as NaN.</returns>
    public static bool Values(ReadOnlySpan<float> latents, (int Slots, int Rank) size, PartTarget target)
    {
        int width = latents.Length / Slots;
        Span<byte> codes = target.Codes[..latents.Length];
        codes.Clear();
        Span<uint> words = LatentPlanes.Words(target.Part);
        words.Clear();
        Span<uint> scales = words[LatentPlanes.CodeWords(width, target.Bits)..];
        bool finite = true;
        for (int slot = 0; slot < size.Slots; slot++)
        {
            for (int first = 0; first < size.Rank; first += LatentPlanes.ValueGroup)
            {
                finite &= RowQuantizer.TryQuantise(
                    latents.Slice((slot * width) + first, Math.Min(LatentPlanes.ValueGroup, size.Rank - first)),
                    new(target.Bits, 1f),
                    codes[((slot * width) + first)..],
                    out scales[(first / LatentPlanes.ValueGroup * Slots) + slot]);
            }
        }
        LatentPlanes.Pack(KvSide.Values, target.Bits, codes, words);
        return finite;
    }
}
