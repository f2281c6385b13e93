using Concertina.Compute.KvCache.Codecs;

namespace Concertina.Compute.Calibration.CommVq;

/// <summary>One stage of one head was trained.</summary>
/// <param name="Head">layer * KvHeadCount + KV head.</param>
/// <param name="Side">Keys or values.</param>
/// <param name="Stage">Stage, or pair of stages that share a byte, from 0.</param>
/// <param name="Loss">Mean squared residual of unit vectors after it.</param>
internal readonly record struct CommVqProgress(int Head, KvSide Side, int Stage, double Loss);
