namespace Concertina.Compute.KvCache.Codecs.Fourier;

/// <summary>What encoding and decoding a segment need beside it; a codec keeps one spare.</summary>
internal sealed class FourierBuffers(FourierSetup setup)
{
    /// <summary>D_c of a segment, [S, |D_c|], or D_u, [S, |D_u|].</summary>
    public float[] Rows { get; } = new float[RowCount(setup)];

    /// <summary>[m, |D_c|].</summary>
    public float[] Coefficients { get; } = new float[CoefficientCount(setup)];

    /// <summary>Bytes of one.</summary>
    public static long Bytes(FourierSetup setup) => sizeof(float) * ((long)RowCount(setup) + CoefficientCount(setup));

    private static int RowCount(FourierSetup setup) => setup.TokenCount * setup.Keys.HeadDim;

    private static int CoefficientCount(FourierSetup setup) =>
        Math.Max(setup.Keys.Orders * setup.Keys.CompressedCount, setup.Values.Orders * setup.Values.CompressedCount);
}
