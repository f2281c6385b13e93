namespace Concertina.Compute.Model.Weights;

/// <summary>Block sizes of the tensor types.</summary>
internal static class TensorLayout
{
    /// <summary>Elements of a Q8_0 block.</summary>
    public const int Q8BlockLength = 32;

    /// <summary>Bytes of a Q8_0 block: the scale and the elements.</summary>
    public const int Q8BlockBytes = 2 + Q8BlockLength;

    /// <summary>True for a type this engine reads.</summary>
    public static bool IsKnown(TensorType type) =>
        type is TensorType.F32 or TensorType.F16 or TensorType.BF16 or TensorType.Q80;

    /// <summary>Elements per block; rows hold whole blocks.</summary>
    public static int BlockLength(TensorType type) => type == TensorType.Q80 ? Q8BlockLength : 1;

    /// <summary>Bytes of a row of this many elements, a multiple of the block length.</summary>
    public static long RowBytes(TensorType type, long columns) => type switch
    {
        TensorType.F32 => columns * 4,
        TensorType.F16 or TensorType.BF16 => columns * 2,
        TensorType.Q80 => columns / Q8BlockLength * Q8BlockBytes,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Not a tensor type this engine reads."),
    };

    /// <summary>The type's name in the GGUF format, for messages; also of types this engine does not read.</summary>
    public static string Name(uint type) => type switch
    {
        0 => "F32",
        1 => "F16",
        2 => "Q4_0",
        3 => "Q4_1",
        6 => "Q5_0",
        7 => "Q5_1",
        8 => "Q8_0",
        9 => "Q8_1",
        10 => "Q2_K",
        11 => "Q3_K",
        12 => "Q4_K",
        13 => "Q5_K",
        14 => "Q6_K",
        15 => "Q8_K",
        28 => "F64",
        30 => "BF16",
        _ => $"type {type}",
    };
}
