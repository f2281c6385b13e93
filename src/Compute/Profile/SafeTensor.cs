namespace Concertina.Compute.Profile;

/// <summary>One tensor of a safetensors file.</summary>
/// <param name="Type">Element type: <c>F16</c>, <c>F32</c> or <c>U8</c>.</param>
/// <param name="Shape">Dimensions, outermost first.</param>
/// <param name="Bytes">Elements, little-endian, row-major.</param>
internal sealed record SafeTensor(string Type, long[] Shape, ReadOnlyMemory<byte> Bytes)
{
    /// <summary>Bytes of an element type, or 0 if it is not known.</summary>
    public static int BytesOf(string type) => type switch
    {
        "F32" => 4,
        "F16" => 2,
        "U8" => 1,
        _ => 0,
    };
}
