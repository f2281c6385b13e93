using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Codecs;

namespace Concertina.Compute.Bench;

/// <summary>What the caches of all rungs have in common.</summary>
/// <param name="Shape">Shape of the model.</param>
/// <param name="Codecs">Codecs of the model.</param>
/// <param name="Settings">What to fill.</param>
internal sealed record CapacitySetup(KvShape Shape, CodecSet Codecs, CapacitySettings Settings);
