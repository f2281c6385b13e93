namespace Concertina.Compute.KvCache.Transcoding;

/// <summary>What became of one side of a unit.</summary>
internal enum PartOutcome
{
    /// <summary>It is stored.</summary>
    Stored,

    /// <summary>A value is not finite in the new codec; the part is not to be used.</summary>
    NotFinite,

    /// <summary>It lost more than the codec's ceiling; the part can be used where nothing better fits.</summary>
    OverCeiling,
}
