using System.Buffers.Binary;

namespace Concertina.Compute.Store;

/// <summary>
/// The token ids of one session, append-only. A save keeps the whole records that agree with the sequence, cuts the rest
/// and appends one record; it is on disk (fsync) when the save returns, once per request. A crash at any byte leaves a
/// file whose whole records are a prefix of the sequence, or one whose header says that nothing can be used.
/// </summary>
internal static class SessionTokenFile
{
    private const int MaxFileBytes = 256 << 20;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Reads the tokens an owner may use.</summary>
    public static SessionTokens Read(string path, in SessionIdentity owner)
    {
        if (!File.Exists(path))
        {
            return new SessionTokens([], SessionFileFault.Missing, "");
        }
        Content content = Parse(ReadAll(path), owner);
        return new SessionTokens([.. content.Records.SelectMany(record => record)], content.Fault, content.Detail);
    }

    /// <summary>Makes the file hold exactly these tokens and moves it to the owner's epoch.</summary>
    public static SessionSave Save(string path, in SessionIdentity owner, ReadOnlySpan<int> tokens)
    {
        using FileStream file = Open(path);
        byte[] bytes = new byte[Math.Min(file.Length, MaxFileBytes)];
        file.ReadExactly(bytes);
        Content content = bytes.Length == 0 ? Content.Empty(SessionFileFault.Missing, "") : Parse(bytes, owner);
        if (content.Fault == SessionFileFault.StaleEpoch)
        {
            return new SessionSave(content.Fault, content.Detail, file.Length, 0);
        }
        Write(file, owner, content, tokens, out int kept);
        file.Flush(flushToDisk: true);
        return new SessionSave(SessionFileFault.None, "", file.Length, kept);
    }

    /// <summary>The key a file was written for; null if its header cannot be read.</summary>
    public static string? ReadKey(string path)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        byte[] head = new byte[Math.Min(file.Length, SessionFileHeader.MaxBytes)];
        file.ReadExactly(head);
        return SessionFileHeader.TryRead(head, SessionFileHeader.TokenMagic, out SessionFileHeader header, out _) == SessionFileFault.None ? header.Key : null;
    }

    private static void Write(FileStream file, in SessionIdentity owner, Content content, ReadOnlySpan<int> tokens, out int kept)
    {
        byte[] header = SessionFileHeader.Of(owner).ToBytes();
        kept = 0;
        int keptBytes = header.Length;
        uint checksum = 0;
        foreach (int[] record in content.Records)
        {
            // A record counts as kept only whole: cutting inside one would leave it without its checksum.
            if (!tokens[kept..].StartsWith(record))
            {
                break;
            }
            kept += record.Length;
            keptBytes += SessionRecords.ByteCount(record.Length);
            checksum = content.ChecksumAt(keptBytes);
        }
        file.SetLength(Math.Min(file.Length, kept == 0 ? 0 : keptBytes));
        if (kept == 0 || content.Epoch != owner.Epoch)
        {
            file.Position = 0;
            file.Write(header);
        }
        if (kept < tokens.Length)
        {
            file.Position = keptBytes;
            file.Write(SessionRecords.ToBytes(tokens[kept..], checksum));
        }
    }

    private static Content Parse(byte[] bytes, in SessionIdentity owner)
    {
        SessionFileFault fault = SessionFileHeader.TryRead(bytes, SessionFileHeader.TokenMagic, out SessionFileHeader header, out string detail);
        if (fault == SessionFileFault.None)
        {
            fault = header.Check(owner, out detail);
        }
        if (fault != SessionFileFault.None)
        {
            return Content.Empty(fault, detail);
        }
        List<int[]> records = [];
        int at = header.ByteCount;
        uint checksum = 0;
        while (at < bytes.Length && fault == SessionFileFault.None)
        {
            fault = SessionRecords.TryRead(bytes.AsSpan(at), ref checksum, out int[] record);
            if (fault == SessionFileFault.None)
            {
                records.Add(record);
                at += SessionRecords.ByteCount(record.Length);
            }
        }
        detail = fault == SessionFileFault.None ? "" : $"record {records.Count} at byte {at} of {bytes.Length}";
        return new Content(records, fault, detail, header.Epoch, bytes);
    }

    private static byte[] ReadAll(string path)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        byte[] bytes = new byte[Math.Min(file.Length, MaxFileBytes)];
        file.ReadExactly(bytes);
        return bytes;
    }

    private static FileStream Open(string path)
    {
        FileStreamOptions options = new()
        {
            Mode = FileMode.OpenOrCreate,
            Access = FileAccess.ReadWrite,
            Share = FileShare.Read,
        };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = OwnerOnly;
        }
        return new FileStream(path, options);
    }

    private readonly record struct Content(List<int[]> Records, SessionFileFault Fault, string Detail, long Epoch, byte[] Bytes)
    {
        public static Content Empty(SessionFileFault fault, string detail) => new([], fault, detail, long.MinValue, []);

        /// <summary>Checksum of the record that ends at this byte.</summary>
        public uint ChecksumAt(int end) => BinaryPrimitives.ReadUInt32LittleEndian(Bytes.AsSpan(end - sizeof(uint)));
    }
}
