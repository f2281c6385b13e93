namespace Concertina.Compute.Store.Pages;

/// <summary>
/// Makes damage of a record visible, and says where it belongs: a seal is good for one file, one position in it and one
/// length, so that records cannot change places. One thread at a time.
/// </summary>
internal interface IRecordSeal : IDisposable
{
    /// <summary>Bytes of a seal.</summary>
    int SealBytes { get; }

    /// <summary>Seals a record, encrypting it in place where the seal does that.</summary>
    /// <param name="index">Position of the record in its file.</param>
    /// <param name="record">Its bytes; afterwards what is written.</param>
    /// <param name="seal">Receives <see cref="SealBytes"/>.</param>
    void Close(int index, Span<byte> record, Span<byte> seal);

    /// <summary>Checks a record and gives its bytes back in place.</summary>
    /// <returns>False when the record, its position or its length is not what was sealed; the bytes are then worth nothing.</returns>
    bool TryOpen(int index, Span<byte> record, ReadOnlySpan<byte> seal);
}
