using Orleans;

namespace Concertina.Contracts.Budget;

/// <summary>What one rung costs.</summary>
/// <param name="Rung">Stable name.</param>
/// <param name="BytesPerToken">Physical bytes per token outside the exact parts.</param>
/// <param name="Distortion">Mean divergence from the lossless rung, in nats per token.</param>
/// <param name="AttendRatio">Attention's time per cached token, divided by that of the lossless rung.</param>
/// <param name="EncodeSecondsPerToken">Seconds that moving one token here takes.</param>
/// <param name="Sources">Bit i is set when a session on rung i may be moved here.</param>
[GenerateSerializer]
[Immutable]
[Alias("concertina.kv-curve-point")]
public sealed record KvCurvePoint(
    [property: Id(0)] string Rung,
    [property: Id(1)] double BytesPerToken,
    [property: Id(2)] double Distortion,
    [property: Id(3)] double AttendRatio,
    [property: Id(4)] double EncodeSecondsPerToken,
    [property: Id(5)] uint Sources);
