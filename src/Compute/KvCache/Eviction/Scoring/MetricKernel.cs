using Concertina.Compute.Attention.Lanes;

namespace Concertina.Compute.KvCache.Eviction.Scoring;

/// <summary>
/// The loops of the metric. A lane is a query row, so nothing is added across lanes and every width gives the same bits.
/// Bounds: lanes are a multiple of 16 and advance in whole vectors; keys and scores have room for 64 slots, and slots
/// advance in fours from below a count of at most 64.
/// </summary>
internal sealed unsafe class MetricKernel<TL, TV> : IMetricKernel
    where TL : struct, ILanes<TV>
    where TV : struct
{
    public void Score(in MetricRows rows, int slots)
    {
        for (int slot = 0; slot < slots; slot += 4)
        {
            int lane = 0;
            for (; lane + (2 * TL.Width) <= rows.Lanes; lane += 2 * TL.Width)
            {
                Score2(rows, slot, lane);
            }
            if (lane < rows.Lanes)
            {
                Score1(rows, slot, lane);
            }
        }
    }

    public void Largest(in MetricRows rows, int slots)
    {
        for (int lane = 0; lane < rows.Lanes; lane += TL.Width)
        {
            TV largest = TL.Set(float.NegativeInfinity);
            for (int slot = 0; slot < slots; slot++)
            {
                largest = TL.Max(largest, TL.Load(rows.Scores + (slot * rows.Lanes) + lane));
            }
            TL.Store(rows.Shift + lane, largest);
        }
    }

    public void SumOfExp(in MetricRows rows, int slots)
    {
        for (int lane = 0; lane < rows.Lanes; lane += TL.Width)
        {
            TV shift = TL.Load(rows.Shift + lane);
            TV sum = TL.Set(0f);
            for (int slot = 0; slot < slots; slot++)
            {
                sum = TL.Add(sum, TL.Exp(TL.Subtract(TL.Load(rows.Scores + (slot * rows.Lanes) + lane), shift)));
            }
            TL.Store(rows.Scale + lane, sum);
        }
    }

    public void Weigh(in MetricRows rows, int slots)
    {
        for (int lane = 0; lane < rows.Lanes; lane += TL.Width)
        {
            TV shift = TL.Load(rows.Shift + lane);
            TV scale = TL.Load(rows.Scale + lane);
            float* score = rows.Scores + lane;
            for (int slot = 0; slot < slots; slot++, score += rows.Lanes)
            {
                TL.Store(score, TL.Multiply(TL.Exp(TL.Subtract(TL.Load(score), shift)), scale));
            }
        }
    }

    private static void Score2(in MetricRows rows, int slot, int lane)
    {
        Rows4<TV> left = default;
        Rows4<TV> right = default;
        float* query = rows.Queries + lane;
        float* key = rows.Keys + (slot * rows.HeadDim);
        for (int channel = 0; channel < rows.HeadDim; channel++, query += rows.Lanes)
        {
            Rows4<TV>.Fma2<TL>(
                ref left, ref right, key + channel, rows.HeadDim, TL.Load(query), TL.Load(query + TL.Width));
        }
        float* scores = rows.Scores + (slot * rows.Lanes) + lane;
        Rows4<TV>.Store<TL>(left, scores, rows.Lanes);
        Rows4<TV>.Store<TL>(right, scores + TL.Width, rows.Lanes);
    }

    private static void Score1(in MetricRows rows, int slot, int lane)
    {
        Rows4<TV> sum = default;
        float* query = rows.Queries + lane;
        float* key = rows.Keys + (slot * rows.HeadDim);
        for (int channel = 0; channel < rows.HeadDim; channel++, query += rows.Lanes)
        {
            Rows4<TV>.Fma<TL>(ref sum, key + channel, rows.HeadDim, TL.Load(query));
        }
        Rows4<TV>.Store<TL>(sum, rows.Scores + (slot * rows.Lanes) + lane, rows.Lanes);
    }
}
