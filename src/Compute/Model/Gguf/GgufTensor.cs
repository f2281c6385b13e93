using Concertina.Compute.Model.Weights;

namespace Concertina.Compute.Model.Gguf;

/// <summary>Directory entry of a tensor. Rows are contiguous: element (row, column) is column + row * Columns in file order.</summary>
/// <param name="Name">Name in the file.</param>
/// <param name="Type">Element storage.</param>
/// <param name="Columns">Fastest dimension.</param>
/// <param name="Rows">Product of the other dimensions.</param>
/// <param name="Offset">File offset of the first byte.</param>
/// <param name="ByteCount">Bytes of the data.</param>
internal readonly record struct GgufTensor(string Name, TensorType Type, long Columns, long Rows, long Offset, long ByteCount);
