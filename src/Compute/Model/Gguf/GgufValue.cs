namespace Concertina.Compute.Model.Gguf;

/// <summary>Where a metadata value lies in the file. Values are decoded on demand, so a hostile count costs nothing.</summary>
/// <param name="Type">Type of the value, or of the elements of an array.</param>
/// <param name="IsArray">True for an array.</param>
/// <param name="Count">Elements; 1 for a scalar.</param>
/// <param name="Offset">File offset of the first element.</param>
internal readonly record struct GgufValue(GgufValueType Type, bool IsArray, long Count, long Offset);
