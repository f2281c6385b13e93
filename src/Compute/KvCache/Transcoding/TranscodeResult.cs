namespace Concertina.Compute.KvCache.Transcoding;

/// <summary>What became of one unit.</summary>
internal enum TranscodeResult
{
    /// <summary>It is stored anew.</summary>
    Moved,

    /// <summary>It would have lost too much there, and the commitment covers a finer form, which it keeps or has got.</summary>
    Guarded,

    /// <summary>It stays as it is: it is there already, may not go there, or its content was refused.</summary>
    Stays,

    /// <summary>No bytes for the copy; nothing has changed but dropped prefix columns.</summary>
    NoRoom,
}
