namespace Concertina.Compute.KvCache.Codecs;

/// <summary>Numbers written into units. Never reused, never renumbered.</summary>
internal enum CodecId : byte
{
    /// <summary>No codec: the side holds nothing.</summary>
    None = 0,

    /// <summary>32-bit floats: the definition.</summary>
    F32 = 1,

    /// <summary>IEEE 754 binary16: the open page and the lossless rung.</summary>
    F16 = 2,
}
