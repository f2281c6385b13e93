namespace Concertina.Compute.KvCache.Codecs.XQuant;

/// <summary>The product that attention and decoding share.</summary>
internal static unsafe class KeyTiles
{
    /// <summary>Keys before RoPE, [headDim, 64], from latents [Stride, 64].</summary>
    public static LatentProduct Product(LatentHead* head, float* latents, float* tile) => new()
    {
        Factors = head->Matrix,
        RowStride = head->Stride,
        Matrix = latents,
        MatrixStride = KvShape.PageTokens,
        Inner = head->Inner,
        Columns = KvShape.PageTokens,
        Output = tile,
        OutputStride = KvShape.PageTokens,
    };
}
