namespace Concertina.Compute.KvCache.Transcoding;

/// <summary>What became of one unit.</summary>
internal enum TranscodeResult
{
    /// <summary>It is stored anew.</summary>
    Moved,

    /// <summary>It would have lost too much there, and keeps its form, which the commitment covers.</summary>
    Guarded,

    /// <summary>It would have lost too much there, and is stored anew in the form that the commitment covers.</summary>
    MovedToPromised,

    /// <summary>It stays as it is: it is there already, may not go there, or its content was refused.</summary>
    Stays,

    /// <summary>No bytes for the copy; nothing has changed but dropped prefix columns.</summary>
    NoRoom,
}
