namespace Concertina.Compute.Kernels.Matrices;

/// <summary>How quantised activations are stored, as the kernel path wants them.</summary>
internal enum ActivationForm
{
    /// <summary>Not quantised.</summary>
    Float,

    /// <summary>Signed bytes in order: 8-bit dot products.</summary>
    Int8,

    /// <summary>16-bit integers, each four in the order 0, 2, 1, 3: 16-bit multiply-adds on the even and the odd bytes of the weights.</summary>
    Int16Paired,
}
