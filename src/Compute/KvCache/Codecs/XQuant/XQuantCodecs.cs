namespace Concertina.Compute.KvCache.Codecs.XQuant;

/// <summary>The codecs of one cache over one set of tables.</summary>
internal static class XQuantCodecs
{
    // Values are weighted as latents, so sums run in another order than over decoded rows.
    internal const float AttendTolerance = 2e-5f;

    /// <summary>Makes xq8, xq4, xq3 and xq2.</summary>
    /// <exception cref="ArgumentException">The maps do not fit the shape, or the model's keys are normalised.</exception>
    public static IReadOnlyList<IKvCodec> Make(XQuantSetup setup)
    {
        var tables = new XQuantTables(setup);
        return
        [
            new XQuantCodec<Latent8>(tables), new XQuantCodec<Latent4>(tables), new XQuantCodec<Latent3>(tables), new XQuantCodec<Latent2>(tables),
        ];
    }

    /// <summary>
    /// Measured against int8 (0.38 us a token and KV head of 64 channels, both sides; 0.62 of 128): 1.5 times with 128 channels a
    /// layer, 7 to 10 times with 1024, because the product grows with them.
    /// </summary>
    internal static double EncodeWeight(KvShape shape) => 0.6 + (shape.KvHeadCount * shape.HeadDim / 128.0);
}
