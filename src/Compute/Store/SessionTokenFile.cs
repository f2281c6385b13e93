using Concertina.Compute.Store.Tokens;

namespace Concertina.Compute.Store;

/// <summary>
/// The token ids of one session, append-only. A save keeps the whole records that agree with the sequence, cuts the rest
/// and appends one record; it is on disk (fsync) when the save returns, once per request. A crash at any byte leaves a
/// file whose whole records are a prefix of the sequence, or one whose header says that nothing can be used. With a key of the server
/// the tokens are encrypted; a file made with another key, or none, gives nothing and is replaced.
/// </summary>
/// <param name="key">Key of the server; null: tokens are stored as they are.</param>
/// <param name="disk">What flushes.</param>
internal sealed class SessionTokenFile(byte[]? key, IStoreDisk disk)
{
    private const int MaxFileBytes = 256 << 20;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Reads the tokens an owner may use.</summary>
    public SessionTokens Read(string path, in SessionIdentity owner)
    {
        if (!File.Exists(path))
        {
            return new SessionTokens([], SessionFileFault.Missing, "");
        }
        Content content = Parse(ReadAll(path), owner);
        return new SessionTokens([.. content.Records.SelectMany(record => record)], content.Fault, content.Detail);
    }

    /// <summary>Makes the file hold exactly these tokens and moves it to the owner's epoch.</summary>
    public SessionSave Save(string path, in SessionIdentity owner, ReadOnlySpan<int> tokens)
    {
        using FileStream file = Open(path);
        byte[] bytes = new byte[Math.Min(file.Length, MaxFileBytes)];
        file.ReadExactly(bytes);
        Content content = bytes.Length == 0 ? Content.Empty(SessionFileFault.Missing, "") : Parse(bytes, owner);
        if (content.Fault == SessionFileFault.StaleEpoch)
        {
            return new SessionSave(content.Fault, content.Detail, file.Length, 0);
        }
        Kept kept = Keep(content, tokens);
        // Where nothing is kept, neither is the salt: no record of before is good in the new file.
        TokenFileHead head = kept.Tokens == 0 ? TokenFileHead.Of(owner, key) : content.Head!.WithOwner(owner);
        Write(file, head, kept, tokens);
        disk.Flush(file);
        return new SessionSave(SessionFileFault.None, "", file.Length, kept.Tokens);
    }

    /// <summary>Bytes of a file of one record.</summary>
    public long ByteCount(in SessionIdentity owner, int tokens)
    {
        TokenFileHead head = TokenFileHead.Of(owner, key);
        using ITokenRecords records = head.MakeRecords();
        return head.ByteCount + (long)records.ByteCount(tokens);
    }

    private static Kept Keep(in Content content, ReadOnlySpan<int> tokens)
    {
        if (content.Head is not { } head)
        {
            return new Kept(0, 0, [], long.MinValue);
        }
        using ITokenRecords records = head.MakeRecords();
        int kept = 0;
        int bytes = head.ByteCount;
        foreach (int[] record in content.Records)
        {
            // A record counts as kept only whole: cutting inside one would leave it without its seal.
            if (!tokens[kept..].StartsWith(record))
            {
                break;
            }
            kept += record.Length;
            bytes += records.ByteCount(record.Length);
        }
        return new Kept(kept, bytes, kept == 0 ? [] : content.Bytes[(bytes - records.SealBytes)..bytes], head.Epoch);
    }

    private static void Write(FileStream file, TokenFileHead head, in Kept kept, ReadOnlySpan<int> tokens)
    {
        file.SetLength(kept.Tokens == 0 ? 0 : kept.Bytes);
        if (kept.Tokens == 0 || kept.Epoch != head.Epoch)
        {
            file.Position = 0;
            file.Write(head.ToBytes());
        }
        if (kept.Tokens < tokens.Length)
        {
            using ITokenRecords records = head.MakeRecords();
            file.Position = kept.Tokens == 0 ? head.ByteCount : kept.Bytes;
            file.Write(records.ToBytes(tokens[kept.Tokens..], kept.Seal));
        }
    }

    private Content Parse(byte[] bytes, in SessionIdentity owner)
    {
        SessionFileFault fault = TokenFileHead.TryRead(bytes, owner, key, out TokenFileHead? head, out string detail);
        if (head is null)
        {
            return Content.Empty(fault, detail);
        }
        using ITokenRecords records = head.MakeRecords();
        List<int[]> whole = [];
        int at = head.ByteCount;
        ReadOnlySpan<byte> seal = [];
        while (at < bytes.Length && fault == SessionFileFault.None)
        {
            fault = records.TryRead(bytes.AsSpan(at), seal, out int[] record);
            if (fault == SessionFileFault.None)
            {
                whole.Add(record);
                at += records.ByteCount(record.Length);
                seal = bytes.AsSpan(at - records.SealBytes, records.SealBytes);
            }
        }
        detail = fault == SessionFileFault.None ? "" : $"record {whole.Count} at byte {at} of {bytes.Length}";
        return new Content(whole, fault, detail, head, bytes);
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

    private readonly record struct Content(List<int[]> Records, SessionFileFault Fault, string Detail, TokenFileHead? Head, byte[] Bytes)
    {
        public static Content Empty(SessionFileFault fault, string detail) => new([], fault, detail, null, []);
    }

    // What of a file stays: so many tokens in so many bytes, the last seal of them, and the epoch in its head.
    private readonly record struct Kept(int Tokens, int Bytes, byte[] Seal, long Epoch);
}
