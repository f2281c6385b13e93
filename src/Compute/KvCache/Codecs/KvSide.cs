namespace Concertina.Compute.KvCache.Codecs;

/// <summary>Which half of a unit: keys and values are stored by codecs chosen independently.</summary>
internal enum KvSide
{
    /// <summary>Keys, after RoPE.</summary>
    Keys,

    /// <summary>Values.</summary>
    Values,
}
