namespace Concertina.Compute.Attention.Folds;

/// <summary>Partial of one row over some pages. Memory of the values is the caller's.</summary>
internal readonly unsafe struct RowPartial(float maximum, float sum, float* values, int headDim)
{
    public float Maximum { get; } = maximum;

    public float Sum { get; } = sum;

    public float* Values { get; } = values;

    public int HeadDim { get; } = headDim;
}
