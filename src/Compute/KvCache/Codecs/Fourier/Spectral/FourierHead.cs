namespace Concertina.Compute.KvCache.Codecs.Fourier.Spectral;

/// <summary>What the readers need of one head and side. Points into memory that lives as long as the codec.</summary>
internal unsafe struct FourierHead
{
    /// <summary>D_c, ascending.</summary>
    public int* Compressed;

    /// <summary>D_u, ascending.</summary>
    public int* Kept;

    public int CompressedCount;

    public int KeptCount;

    /// <summary>Orders m.</summary>
    public int Orders;

    /// <summary>Floats of the basis, [pages, 64 * m]: keys by order, values by token.</summary>
    public float* Basis;

    /// <summary>Bytes of the coefficients, behind which the pages of kept channels lie.</summary>
    public int CoefficientBytes;

    /// <summary>Bytes of a page of kept channels.</summary>
    public int PageBytes;

    /// <summary>Copies the rows' channels of a list next to each other.</summary>
    /// <param name="channels">List.</param>
    /// <param name="count">Its length.</param>
    /// <param name="from">First channel of a row of a head.</param>
    /// <param name="to">Written: [count].</param>
    public static void Gather(int* channels, int count, float* from, float* to)
    {
        for (int i = 0; i < count; i++)
        {
            to[i] = from[channels[i]];
        }
    }

    /// <summary>Adds numbers to the row's channels of a list; zeros add nothing, not even to the sign of a zero.</summary>
    public static void Scatter(int* channels, int count, float* from, float* to)
    {
        for (int i = 0; i < count; i++)
        {
            if (from[i] != 0f)
            {
                to[channels[i]] += from[i];
            }
        }
    }
}
