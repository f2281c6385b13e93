using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Concertina.Runtime.Storage;

/// <summary>
/// Format of a state file: magic with version (8 bytes), SHA-256 of all that follows (32), then version of the state
/// (8), lengths of grain, state name and value (4 each), and these three. Little endian. Nothing may follow.
/// </summary>
internal sealed class StateFile
{
    private const int ChecksumOffset = 8;
    private const int BodyOffset = 40;
    private const int PartsOffset = 60;

    private static readonly byte[] Magic = "CNCTST01"u8.ToArray();

    private StateFile(byte[] bytes, long version, int valueLength)
    {
        Bytes = bytes;
        Version = version;
        string checksum = Convert.ToHexStringLower(bytes.AsSpan(ChecksumOffset, 8));
        Record = new StateRecord(
            bytes.AsMemory(bytes.Length - valueLength), string.Create(CultureInfo.InvariantCulture, $"{version}-{checksum}"));
    }

    /// <summary>The whole file.</summary>
    internal ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>Counts the writes of the state.</summary>
    internal long Version { get; }

    /// <summary>The value; its version carries a part of the checksum, so a removed and rewritten state differs.</summary>
    internal StateRecord Record { get; }

    internal static StateFile Create(StateKey key, long version, ReadOnlyMemory<byte> value)
    {
        byte[] grain = Encoding.UTF8.GetBytes(key.Grain);
        byte[] state = Encoding.UTF8.GetBytes(key.State);
        byte[] bytes = new byte[PartsOffset + grain.Length + state.Length + value.Length];
        Span<byte> span = bytes;
        Magic.CopyTo(span);
        BinaryPrimitives.WriteInt64LittleEndian(span[BodyOffset..], version);
        BinaryPrimitives.WriteInt32LittleEndian(span[(BodyOffset + 8)..], grain.Length);
        BinaryPrimitives.WriteInt32LittleEndian(span[(BodyOffset + 12)..], state.Length);
        BinaryPrimitives.WriteInt32LittleEndian(span[(BodyOffset + 16)..], value.Length);
        grain.CopyTo(span[PartsOffset..]);
        state.CopyTo(span[(PartsOffset + grain.Length)..]);
        value.Span.CopyTo(span[(PartsOffset + grain.Length + state.Length)..]);
        SHA256.HashData(span[BodyOffset..], span[ChecksumOffset..]);
        return new StateFile(bytes, version, value.Length);
    }

    internal static bool TryDecode(
        byte[] bytes, StateKey key, [NotNullWhen(true)] out StateFile? file, [NotNullWhen(false)] out string? damage)
    {
        file = null;
        damage = DamageOf(bytes, key);
        if (damage is null)
        {
            file = new StateFile(bytes, BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(BodyOffset)), LengthAt(bytes, 16));
        }

        return damage is null;
    }

    /// <summary>Whose state a file holds; null when it is damaged.</summary>
    internal static StateKey? KeyOf(byte[] bytes) => DamageOf(bytes) is null ? OwnerOf(bytes) : null;

    private static string? DamageOf(byte[] bytes, StateKey key) => DamageOf(bytes)
        ?? (OwnerOf(bytes) is { } owner && owner != key ? $"it belongs to state '{owner.State}' of {owner.Grain}" : null);

    private static string? DamageOf(byte[] bytes)
    {
        if (bytes.Length < PartsOffset)
        {
            return $"it has {bytes.Length} bytes, the header alone has {PartsOffset}";
        }

        if (!bytes.AsSpan(0, Magic.Length).SequenceEqual(Magic))
        {
            return $"it begins with 0x{Convert.ToHexString(bytes.AsSpan(0, Magic.Length))}, not with {Encoding.ASCII.GetString(Magic)}";
        }

        string expected = Convert.ToHexStringLower(bytes.AsSpan(ChecksumOffset, SHA256.HashSizeInBytes));
        string actual = Convert.ToHexStringLower(SHA256.HashData(bytes.AsSpan(BodyOffset)));
        return expected == actual ? null : $"its checksum is {actual}, the header says {expected}";
    }

    // The checksum holds, so the lengths are those that were written.
    private static StateKey OwnerOf(byte[] bytes) => new(
        Encoding.UTF8.GetString(bytes, PartsOffset, LengthAt(bytes, 8)),
        Encoding.UTF8.GetString(bytes, PartsOffset + LengthAt(bytes, 8), LengthAt(bytes, 12)));

    private static int LengthAt(byte[] bytes, int offset) => BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(BodyOffset + offset));
}
