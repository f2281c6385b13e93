namespace Concertina.Compute.Model.Weights;

/// <summary>Storage of a tensor's elements, with the numbers of the GGUF format.</summary>
public enum TensorType : uint
{
    /// <summary>IEEE binary32.</summary>
    F32 = 0,

    /// <summary>IEEE binary16.</summary>
    F16 = 1,

    /// <summary>GGUF's Q8_0: blocks of 32 signed bytes behind one binary16 scale: 34 bytes per 32 elements.</summary>
    Q80 = 8,

    /// <summary>Upper half of binary32.</summary>
    BF16 = 30,
}
