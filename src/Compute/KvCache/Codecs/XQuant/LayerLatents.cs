namespace Concertina.Compute.KvCache.Codecs.XQuant;

/// <summary>The latent maps of one layer.</summary>
/// <param name="Keys">Of the keys before RoPE.</param>
/// <param name="Values">Of the values.</param>
internal sealed record LayerLatents(LatentMap Keys, LatentMap Values)
{
    /// <summary>The map of a side.</summary>
    public LatentMap Of(KvSide side) => side == KvSide.Keys ? Keys : Values;
}
