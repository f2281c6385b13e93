using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Codecs;
using Concertina.Compute.KvCache.Codecs.F16;
using Concertina.Compute.KvCache.Codecs.F32;
using Concertina.Compute.KvCache.Rungs;

namespace Concertina.Engine.Tests.Kit;

/// <summary>Rungs f16, pair and pair1, which lose nothing of what the fake model writes.</summary>
internal static class PairLadder
{
    public static CacheParts Parts(double weight = 1, int? refusedToken = null, double deepWeight = 1) => new()
    {
        Open = new F16Codec(),
        Codecs = new CodecSet([
            new F32Codec(), new F16Codec(), new PairCodec(13, "pair") { EncodeWeight = weight, RefusedToken = refusedToken },
            new PairCodec(14, "pair1", (CodecId)13) { EncodeWeight = deepWeight }]),
        Rungs = [new Rung("pair", "pair", "pair", 1), new Rung("pair1", "pair1", "pair1", 1)],
    };
}
