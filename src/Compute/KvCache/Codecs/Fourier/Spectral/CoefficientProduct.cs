using Concertina.Compute.Attention.Lanes;

namespace Concertina.Compute.KvCache.Codecs.Fourier.Spectral;

/// <summary>
/// sums[row, lane] = sum over i of factors[row, i] * coefficient[i, lane], coefficients as halves in words of two neighbouring i:
/// g = C_K q with lanes of orders, o = C_V^T h with lanes of channels. One sequential sum per row and lane.
/// </summary>
internal unsafe struct CoefficientProduct
{
    /// <summary>u32[Count / 2, Lanes].</summary>
    public uint* Words;

    /// <summary>What is summed over; even.</summary>
    public int Count;

    /// <summary>Lanes: a multiple of 16.</summary>
    public int Lanes;

    /// <summary>[rows, Count].</summary>
    public float* Factors;

    /// <summary>[rows, Lanes], written.</summary>
    public float* Sums;

    public readonly void Run<TL, TV>(int rows)
        where TL : struct, ILanes<TV>
        where TV : struct
    {
        int row = 0;
        for (; row + 4 <= rows; row += 4)
        {
            Run<TL, TV, Rows4<TV>>(row);
        }
        switch (rows - row)
        {
            case 3:
                Run<TL, TV, Rows3<TV>>(row);
                break;
            case 2:
                Run<TL, TV, Rows2<TV>>(row);
                break;
            case 1:
                Run<TL, TV, Rows1<TV>>(row);
                break;
        }
    }

    private readonly void Run<TL, TV, TRows>(int row)
        where TL : struct, ILanes<TV>
        where TV : struct
        where TRows : struct, IRowTile<TRows, TV>
    {
        float* factors = Factors + (row * Count);
        for (int lane = 0; lane < Lanes; lane += TL.Width)
        {
            TRows sum = default;
            uint* word = Words + lane;
            for (int i = 0; i < Count; i += 2, word += Lanes)
            {
                TL.LoadHalves(word, out TV even, out TV odd);
                TRows.Fma<TL>(ref sum, factors + i, Count, even);
                TRows.Fma<TL>(ref sum, factors + i + 1, Count, odd);
            }
            TRows.Store<TL>(sum, Sums + (row * Lanes) + lane, Lanes);
        }
    }
}
