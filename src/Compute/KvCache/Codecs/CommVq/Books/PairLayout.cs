using System.Runtime.Intrinsics;

namespace Concertina.Compute.KvCache.Codecs.CommVq.Books;

/// <summary>
/// A head as complex numbers: pair j is (x[2j], x[2j + 1]), the pairs that RoPE turns. Vectors are kept split, all real parts
/// and then all imaginary parts, each padded with zeros to whole vectors, so that no kernel shuffles.
/// </summary>
internal static class PairLayout
{
    private const int Padding = 32;

    /// <summary>Pairs of a head, padded.</summary>
    public static int PaddedPairs(int headDim) => ((headDim / 2) + Padding - 1) / Padding * Padding;

    /// <summary>Floats of a split vector.</summary>
    public static int Width(int headDim) => 2 * PaddedPairs(headDim);

    /// <summary>Channels in order to a split vector; the padding is left alone.</summary>
    public static void Split(ReadOnlySpan<float> channels, Span<float> split)
    {
        Span<float> imaginary = split[(split.Length / 2)..];
        for (int pair = 0; pair < channels.Length / 2; pair++)
        {
            split[pair] = channels[2 * pair];
            imaginary[pair] = channels[(2 * pair) + 1];
        }
    }

    /// <summary>A split vector to channels in order.</summary>
    public static void Join(ReadOnlySpan<float> split, Span<float> channels)
    {
        ReadOnlySpan<float> imaginary = split[(split.Length / 2)..];
        for (int pair = 0; pair < channels.Length / 2; pair++)
        {
            channels[2 * pair] = split[pair];
            channels[(2 * pair) + 1] = imaginary[pair];
        }
    }

    /// <summary>i times the rows, each of <paramref name="width"/> floats: (re, im) becomes (-im, re).</summary>
    public static void TimesI(ReadOnlySpan<float> rows, Span<float> turned, int width)
    {
        int half = width / 2;
        for (int row = 0; row < rows.Length; row += width)
        {
            rows.Slice(row, half).CopyTo(turned[(row + half)..]);
            ReadOnlySpan<float> imaginary = rows.Slice(row + half, half);
            Span<float> real = turned.Slice(row, half);
            // Half a width is a multiple of 32.
            for (int pair = 0; pair < half; pair += Vector256<float>.Count)
            {
                (-Vector256.Create(imaginary.Slice(pair, Vector256<float>.Count))).CopyTo(real[pair..]);
            }
        }
    }
}
