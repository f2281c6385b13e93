using System.Runtime.Intrinsics;
using Concertina.Compute.Attention.Lanes;

namespace Concertina.Compute.KvCache.Eviction.Scoring;

/// <summary>The loops of the metric, compiled per vector width; all widths give the same bits.</summary>
internal interface IMetricKernel
{
    /// <summary>scores[slot, lane] = sequential fused sum over channels of query * key, for the first slots.</summary>
    void Score(in MetricRows rows, int slots);

    /// <summary>Largest score of each lane over the first slots, to Shift.</summary>
    void Largest(in MetricRows rows, int slots);

    /// <summary>Sum of exp(score - Shift) of each lane over the first slots, to Scale.</summary>
    void SumOfExp(in MetricRows rows, int slots);

    /// <summary>score = exp(score - Shift) * Scale for the first slots.</summary>
    void Weigh(in MetricRows rows, int slots);
}

/// <summary>Makes the kernel of a vector path.</summary>
internal static class MetricKernel
{
    public static IMetricKernel For(VectorPath path) => path switch
    {
        VectorPath.Lanes16 => new MetricKernel<Lanes16, Vector512<float>>(),
        VectorPath.Lanes8 => new MetricKernel<Lanes8, Vector256<float>>(),
        _ => new MetricKernel<ScalarLanes, float>(),
    };
}
