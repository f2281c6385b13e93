using Concertina.Compute.KvCache.Codecs.CommVq.Books;

namespace Concertina.Compute.KvCache.Codecs.Fourier.Spectral;

/// <summary>
/// The lowest rows of the DCT-II over a segment of S tokens, in the scaling R = sqrt(S) B of the orthonormal basis B:
/// R[0, t] = 1, R[n, t] = sqrt(2) cos(pi (t + 1/2) n / S). Then C = R X / S and X~ = R^T C, the zeroth coefficient is the mean,
/// and none is larger than the largest element, so halves hold the coefficients of whatever halves hold. Computed in
/// binary64, kept as binary32, one for all heads. Immutable.
/// </summary>
internal sealed unsafe class SpectralBasis
{
    private readonly PinnedTable _byOrder;
    private readonly PinnedTable _byToken;

    /// <param name="tokenCount">Tokens S, at least 1; what lies behind them in the last page is 0.</param>
    /// <param name="orders">Rows m, at most S.</param>
    /// <exception cref="ArgumentOutOfRangeException">m is not in 1 to S.</exception>
    public SpectralBasis(int tokenCount, int orders)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(orders, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(orders, tokenCount);
        (TokenCount, Orders) = (tokenCount, orders);
        _byOrder = new PinnedTable((long)KvShape.PagesFor(tokenCount) * KvShape.PageTokens * orders);
        _byToken = new PinnedTable((long)tokenCount * orders);
        for (int token = 0; token < tokenCount; token++)
        {
            float* tile = ByOrder + (token / KvShape.PageTokens * KvShape.PageTokens * orders) + (token % KvShape.PageTokens);
            for (int order = 0; order < orders; order++)
            {
                float entry = (float)Entry(order, token, tokenCount);
                ByToken[(token * orders) + order] = entry;
                tile[order * KvShape.PageTokens] = entry;
            }
        }
    }

    /// <summary>Tokens S.</summary>
    public int TokenCount { get; }

    /// <summary>Rows m.</summary>
    public int Orders { get; }

    /// <summary>[pages, m, 64]: what scores read.</summary>
    public float* ByOrder => _byOrder.Pointer;

    /// <summary>[S, m]: what encoding and values read.</summary>
    public float* ByToken => _byToken.Pointer;

    /// <summary>Bytes of both tables.</summary>
    public static long Bytes(int tokenCount, int orders) => 2L * tokenCount * orders * sizeof(float);

    /// <summary>R[n, t].</summary>
    public static double Entry(int order, int token, int tokenCount)
    {
        // The cosine has period 4 S in (2t + 1) n, which integers reduce exactly.
        long phase = ((2L * token) + 1) * order % (4L * tokenCount);
        return order == 0 ? 1.0 : Math.Sqrt(2.0) * Math.Cos(Math.PI * phase / (2.0 * tokenCount));
    }
}
