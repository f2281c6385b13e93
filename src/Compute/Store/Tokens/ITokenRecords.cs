namespace Concertina.Compute.Store.Tokens;

/// <summary>
/// Records of a token file, one per saved request: count, tokens (32-bit little-endian), and a seal that continues the seal of the
/// record before. A record out of place fails its seal, so what is read is always a prefix of what was written. One thread at a time.
/// </summary>
internal interface ITokenRecords : IDisposable
{
    /// <summary>Bytes of a seal, the last ones of a record.</summary>
    int SealBytes { get; }

    /// <summary>Bytes of a record.</summary>
    int ByteCount(int tokens);

    /// <summary>Makes a record.</summary>
    /// <param name="tokens">Its tokens, at least one.</param>
    /// <param name="previous">Seal of the record before; empty for the first.</param>
    byte[] ToBytes(ReadOnlySpan<int> tokens, ReadOnlySpan<byte> previous);

    /// <summary>Reads the record at the start of the bytes.</summary>
    /// <param name="bytes">The rest of the file.</param>
    /// <param name="previous">Seal of the record before; empty for the first.</param>
    /// <param name="tokens">The record's tokens; empty unless it is whole.</param>
    /// <returns>Whether the record is whole.</returns>
    SessionFileFault TryRead(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> previous, out int[] tokens);
}
