namespace Concertina.Compute.Calibration.CommVq;

/// <summary>What was captured of one head.</summary>
/// <param name="Keys">Keys before RoPE, [tokens, headDim].</param>
/// <param name="Values">Values, [tokens, headDim].</param>
internal readonly record struct HeadSample(ReadOnlyMemory<float> Keys, ReadOnlyMemory<float> Values);
