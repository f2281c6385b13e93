namespace Concertina.Compute.Kernels.Matrices;

/// <summary>Neighbouring rows of a step.</summary>
/// <param name="First">First row.</param>
/// <param name="Count">Number of rows.</param>
internal readonly record struct RowRange(int First, int Count);
