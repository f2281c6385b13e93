using System.Buffers.Binary;
using System.Text;

namespace Concertina.Compute.Model.Gguf;

/// <summary>Cursor over the header of a GGUF file. Every read is checked against the end of the file.</summary>
internal sealed class GgufReader(MappedFile file)
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>File offset of the next read.</summary>
    public long Offset { get; set; }

    /// <summary>Bytes from the cursor to the end of the file.</summary>
    public long Remaining => file.Length - Offset;

    public uint ReadUInt32(string what) => BinaryPrimitives.ReadUInt32LittleEndian(Take(4, what));

    public ulong ReadUInt64(string what) => BinaryPrimitives.ReadUInt64LittleEndian(Take(8, what));

    /// <summary>Reads a number of things, each of which takes at least <paramref name="minimumBytes"/> in the file.</summary>
    public long ReadCount(string what, int minimumBytes)
    {
        ulong count = ReadUInt64(what);
        if (count > (ulong)(Remaining / minimumBytes))
        {
            throw Error($"{what} says {count}, but {Remaining} bytes are left, which hold at most {Remaining / minimumBytes}.");
        }
        return (long)count;
    }

    /// <summary>Reads a string of at most <paramref name="maxBytes"/> bytes of UTF-8.</summary>
    public string ReadString(string what, int maxBytes)
    {
        ReadOnlySpan<byte> bytes = ReadStringBytes(what, maxBytes);
        try
        {
            return StrictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException exception)
        {
            throw new ModelFileException(file.Path, $"{what} at offset {Offset - bytes.Length} is not UTF-8.", exception);
        }
    }

    /// <summary>Reads a string of at most <paramref name="maxBytes"/> bytes, whatever they are.</summary>
    public ReadOnlySpan<byte> ReadStringBytes(string what, int maxBytes)
    {
        ulong length = ReadUInt64(what);
        if (length > (ulong)maxBytes)
        {
            throw Error($"{what} is {length} bytes long; at most {maxBytes} are allowed.");
        }
        return Take((int)length, what);
    }

    /// <summary>Moves over bytes.</summary>
    public void Skip(long byteCount, string what)
    {
        if (byteCount > Remaining)
        {
            throw Error($"{what} needs {byteCount} bytes at offset {Offset}, but the file ends after {Remaining}; it is truncated.");
        }
        Offset += byteCount;
    }

    public ReadOnlySpan<byte> Take(int byteCount, string what)
    {
        long start = Offset;
        Skip(byteCount, what);
        return file.Span(start, byteCount);
    }

    public ModelFileException Error(string problem) => new(file.Path, problem);
}
