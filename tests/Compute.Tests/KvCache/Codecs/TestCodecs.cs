using Concertina.Compute.KvCache.Codecs;
using Concertina.Compute.Tests.KvCache.Codecs.CommVq;
using Concertina.Compute.Tests.KvCache.Codecs.Fourier;
using Concertina.Compute.Tests.KvCache.Codecs.XQuant;

namespace Concertina.Compute.Tests.KvCache.Codecs;

/// <summary>Every codec that the conformance tests run, those with model data made with small data of their own.</summary>
internal static class TestCodecs
{
    /// <summary>One row per codec.</summary>
    public static TheoryData<string> Names => [.. CodecCatalog.All.Select(codec => codec.Name), .. TestCommVq.Names, .. TestXQuant.Names, .. TestFourier.Names];

    /// <summary>The codec of a name, for heads of this many channels.</summary>
    public static IKvCodec Make(string name, int headDim) => CodecCatalog.Find(name) ?? TestCommVq.Find(name, headDim) ?? TestXQuant.Find(name, headDim)
        ?? TestFourier.Find(name, headDim)
        ?? throw new ArgumentException($"No codec '{name}' for {headDim} channels.");
}
