namespace Concertina.Compute.KvCache.Eviction.Scoring;

/// <summary>
/// The observed queries of one KV head and a page of keys, as the kernels see them: one lane per query row. Memory is the
/// metric's scratch; lanes beyond <see cref="Rows"/> have zero queries and are never read.
/// </summary>
internal unsafe struct MetricRows
{
    /// <summary>Query rows: heads of the group times observed queries.</summary>
    public int Rows;

    /// <summary>Rows rounded up to 16.</summary>
    public int Lanes;

    public int HeadDim;

    /// <summary>[headDim, lanes], scaled.</summary>
    public float* Queries;

    /// <summary>Position of each row, [lanes].</summary>
    public int* Positions;

    /// <summary>A page of keys, [64, headDim].</summary>
    public float* Keys;

    /// <summary>Scores, then weights, of the page, [64, lanes].</summary>
    public float* Scores;

    /// <summary>Largest score of each row so far, [lanes].</summary>
    public float* Maximum;

    /// <summary>Sum of exp(score - maximum) of each row, [lanes].</summary>
    public float* Sum;

    /// <summary>One number per row for the present page, [lanes].</summary>
    public float* Shift;

    /// <summary>Another, [lanes].</summary>
    public float* Scale;
}
