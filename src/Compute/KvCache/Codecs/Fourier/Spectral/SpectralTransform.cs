using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Concertina.Compute.KvCache.Codecs.Fourier.Spectral;

/// <summary>
/// C = R X / S: the lowest orders of the DCT-II of every channel over a segment. One sequential fused sum over the tokens per
/// coefficient, so a coefficient depends on its order and channel alone: fewer orders give the first rows of more, bit by
/// bit, and so does every machine.
/// </summary>
internal static unsafe class SpectralTransform
{
    private const int OrderBlock = 4;

    /// <summary>Transforms.</summary>
    /// <param name="basis">The basis; its orders are a multiple of 4.</param>
    /// <param name="signal">X, [S, channels].</param>
    /// <param name="channels">Channels, a multiple of 8.</param>
    /// <param name="coefficients">Written: C, [m, channels].</param>
    /// <exception cref="ArgumentException">A length does not fit.</exception>
    public static void Forward(SpectralBasis basis, ReadOnlySpan<float> signal, int channels, Span<float> coefficients)
    {
        if (channels % Vector256<float>.Count != 0 || basis.Orders % OrderBlock != 0
            || signal.Length != basis.TokenCount * channels || coefficients.Length != basis.Orders * channels)
        {
            throw new ArgumentException(
                $"{signal.Length} elements and {coefficients.Length} coefficients do not fit {basis.TokenCount} tokens, {basis.Orders} orders " +
                $"(a multiple of {OrderBlock}) and {channels} channels (a multiple of {Vector256<float>.Count}).");
        }
        fixed (float* x = signal, c = coefficients)
        {
            for (int order = 0; order < basis.Orders; order += OrderBlock)
            {
                for (int channel = 0; channel < channels; channel += Vector256<float>.Count)
                {
                    // Rows order to order + 3 and lanes channel to channel + 7 lie inside by the check above.
                    Block(basis, order, x + channel, channels, c + (order * channels) + channel);
                }
            }
        }
    }

    /// <summary>X~ = R^T C of some tokens: one sequential fused sum over the orders per element.</summary>
    /// <param name="basis">The basis.</param>
    /// <param name="coefficients">C, [m, channels]; channels are a multiple of 8.</param>
    /// <param name="firstToken">First token of the segment that is wanted.</param>
    /// <param name="signal">Written: X~, [tokens, channels].</param>
    /// <exception cref="ArgumentException">A length does not fit, or the tokens lie outside the segment.</exception>
    public static void Inverse(SpectralBasis basis, ReadOnlySpan<float> coefficients, int firstToken, Span<float> signal)
    {
        int channels = coefficients.Length / basis.Orders;
        int tokens = channels == 0 ? 0 : signal.Length / channels;
        if (channels % Vector256<float>.Count != 0 || coefficients.Length != basis.Orders * channels
            || signal.Length != tokens * channels || firstToken < 0 || firstToken + tokens > basis.TokenCount)
        {
            throw new ArgumentException(
                $"{coefficients.Length} coefficients and {signal.Length} elements from token {firstToken} on do not fit {basis.TokenCount} tokens "
                + $"and {basis.Orders} orders of a number of channels that is a multiple of {Vector256<float>.Count}.");
        }
        fixed (float* c = coefficients, x = signal)
        {
            for (int token = 0; token < tokens; token++)
            {
                float* row = basis.ByToken + ((firstToken + token) * basis.Orders);
                for (int channel = 0; channel < channels; channel += Vector256<float>.Count)
                {
                    Vector256<float> sum = Vector256<float>.Zero;
                    float* coefficient = c + channel;
                    for (int order = 0; order < basis.Orders; order++, coefficient += channels)
                    {
                        sum = Vector256.FusedMultiplyAdd(Vector256.Create(row[order]), Vector256.Load(coefficient), sum);
                    }
                    sum.Store(x + (token * channels) + channel);
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Block(SpectralBasis basis, int order, float* x, int channels, float* c)
    {
        float* row = basis.ByToken + order;
        int orders = basis.Orders;
        Vector256<float> sum0 = Vector256<float>.Zero, sum1 = sum0, sum2 = sum0, sum3 = sum0;
        for (int token = 0; token < basis.TokenCount; token++, row += orders, x += channels)
        {
            Vector256<float> value = Vector256.Load(x);
            sum0 = Vector256.FusedMultiplyAdd(Vector256.Create(row[0]), value, sum0);
            sum1 = Vector256.FusedMultiplyAdd(Vector256.Create(row[1]), value, sum1);
            sum2 = Vector256.FusedMultiplyAdd(Vector256.Create(row[2]), value, sum2);
            sum3 = Vector256.FusedMultiplyAdd(Vector256.Create(row[3]), value, sum3);
        }
        Vector256<float> share = Vector256.Create(1f / basis.TokenCount);
        (sum0 * share).Store(c);
        (sum1 * share).Store(c + channels);
        (sum2 * share).Store(c + (2 * channels));
        (sum3 * share).Store(c + (3 * channels));
    }
}
