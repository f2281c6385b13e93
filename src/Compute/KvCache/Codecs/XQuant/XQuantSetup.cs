namespace Concertina.Compute.KvCache.Codecs.XQuant;

/// <summary>What the codecs of one cache are made from.</summary>
internal sealed record XQuantSetup
{
    /// <summary>Shape of the model's cache.</summary>
    public required KvShape Shape { get; init; }

    /// <summary>Maps of every layer.</summary>
    public required IReadOnlyList<LayerLatents> Layers { get; init; }

    /// <summary>RoPE's radians a position, one per rotated pair of channels (2i, 2i + 1); the other pairs do not turn.</summary>
    public required IReadOnlyList<double> Frequencies { get; init; }

    /// <summary>Positions lie below this: the model's context length.</summary>
    public required int PositionCount { get; init; }

    /// <summary>True for a model that normalises keys between projection and RoPE; no codec can be made for one.</summary>
    public bool NormalisesKeys { get; init; }

    /// <exception cref="ArgumentException">The maps do not fit the shape, or keys are normalised.</exception>
    public void Validate()
    {
        if (NormalisesKeys)
        {
            throw new ArgumentException(
                "The model normalises keys after their projection, so that the projected key cannot be had from the cached one. The RMS of every " +
                "projected key (2 bytes a token and KV head), or the layer inputs, would have to be captured; choose rungs without xq.");
        }
        int channels = Shape.KvHeadCount * Shape.HeadDim;
        if (Layers.Count != Shape.LayerCount || Layers.Any(layer => layer.Keys.Channels != channels || layer.Values.Channels != channels))
        {
            throw new ArgumentException(
                $"There are latent maps of {Layers.Count} layers with {string.Join(", ", Layers.Select(layer => layer.Keys.Channels).Distinct())} channels; " +
                $"{Shape} needs {Shape.LayerCount} with {channels}. Prepare them from this model's weights.");
        }
    }
}
