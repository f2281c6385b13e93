using System.Runtime.InteropServices;

namespace Concertina.Compute.Model.Weights;

/// <summary>Elements of one tensor in file order, readable until disposal. Either borrowed (from a mapped file) or owned.</summary>
internal sealed unsafe class WeightTensor : IDisposable
{
    private byte* _owned;

    /// <summary>Borrows memory that outlives this object.</summary>
    public WeightTensor(string name, TensorType type, int rows, int columns, byte* data)
    {
        Name = name;
        Type = type;
        Rows = rows;
        Columns = columns;
        Data = data;
    }

    /// <summary>Name in the model file.</summary>
    public string Name { get; }

    /// <summary>Element storage.</summary>
    public TensorType Type { get; }

    /// <summary>Output rows of a matrix; 1 for a vector.</summary>
    public int Rows { get; }

    /// <summary>Elements of a row.</summary>
    public int Columns { get; }

    /// <summary>First byte of row 0; row r follows after r * RowBytes.</summary>
    public byte* Data { get; }

    /// <summary>Bytes of a row.</summary>
    public long RowBytes => TensorLayout.RowBytes(Type, Columns);

    /// <summary>Makes a tensor with memory of its own, not initialised.</summary>
    public static WeightTensor Allocate(string name, TensorType type, int rows, int columns)
    {
        byte* data = (byte*)NativeMemory.Alloc((nuint)(TensorLayout.RowBytes(type, columns) * rows));
        return new(name, type, rows, columns, data) { _owned = data };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        NativeMemory.Free(_owned);
        _owned = null;
    }
}
