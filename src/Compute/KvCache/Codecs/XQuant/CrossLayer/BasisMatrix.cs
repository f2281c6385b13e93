namespace Concertina.Compute.KvCache.Codecs.XQuant.CrossLayer;

/// <summary>A matrix [Rows, Columns] in memory that never moves.</summary>
internal readonly unsafe struct BasisMatrix(float* pointer, int rows, int columns)
{
    public float* Pointer { get; } = pointer;

    public int Rows { get; } = rows;

    public int Columns { get; } = columns;
}
