using System.Buffers.Binary;
using System.Text;

namespace Concertina.Compute.Tests.Model.Gguf;

/// <summary>Writes GGUF files, sound or deliberately damaged, for tests.</summary>
public sealed class GgufWriter
{
    private readonly List<(string Key, uint Type, byte[] Bytes)> _keys = [];
    private readonly List<(string Name, long[] Dimensions, uint Type, byte[] Data)> _tensors = [];

    public uint Version { get; set; } = 3;

    public int Alignment { get; set; } = 32;

    /// <summary>Overrides the offset of a tensor (relative to the data section).</summary>
    public Dictionary<string, long> Offsets { get; } = [];

    public GgufWriter Set(string key, object value)
    {
        _keys.RemoveAll(entry => entry.Key == key);
        return Add(key, value);
    }

    public GgufWriter Add(string key, object value)
    {
        (uint type, byte[] bytes) = Encode(value);
        _keys.Add((key, type, bytes));
        return this;
    }

    public GgufWriter AddRaw(string key, uint type, byte[] bytes)
    {
        _keys.Add((key, type, bytes));
        return this;
    }

    public GgufWriter Remove(string key)
    {
        _keys.RemoveAll(entry => entry.Key == key);
        return this;
    }

    public GgufWriter Tensor(string name, long[] dimensions, uint type, byte[] data)
    {
        _tensors.RemoveAll(tensor => tensor.Name == name);
        return DuplicateTensor(name, dimensions, type, data);
    }

    public GgufWriter DuplicateTensor(string name, long[] dimensions, uint type, byte[] data)
    {
        _tensors.Add((name, dimensions, type, data));
        return this;
    }

    public GgufWriter RemoveTensor(string name)
    {
        _tensors.RemoveAll(tensor => tensor.Name == name);
        return this;
    }

    /// <summary>Bytes of the header: everything before the data section.</summary>
    public int HeaderBytes { get; private set; }

    public byte[] ToArray()
    {
        using MemoryStream stream = new();
        using BinaryWriter writer = new(stream);
        writer.Write(0x4655_4747u);
        writer.Write(Version);
        writer.Write((ulong)_tensors.Count);
        writer.Write((ulong)_keys.Count);
        foreach ((string key, uint type, byte[] bytes) in _keys)
        {
            writer.Write(StringBytes(key));
            writer.Write(type);
            writer.Write(bytes);
        }
        long offset = 0;
        List<long> offsets = [];
        foreach ((string name, long[] dimensions, uint type, byte[] data) in _tensors)
        {
            writer.Write(StringBytes(name));
            writer.Write(dimensions.Length);
            Array.ForEach(dimensions, writer.Write);
            writer.Write(type);
            offsets.Add(Offsets.GetValueOrDefault(name, offset));
            writer.Write(offsets[^1]);
            offset = AlignUp(Math.Max(offset, offsets[^1] + data.Length));
        }
        HeaderBytes = (int)stream.Length;
        long start = AlignUp(stream.Length);
        for (int i = 0; i < _tensors.Count; i++)
        {
            stream.Position = start + Math.Min(offsets[i], 1 << 24);
            writer.Write(_tensors[i].Data);
        }
        return stream.ToArray();
    }

    public static byte[] StringBytes(string text)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(text);
        return [.. BitConverter.GetBytes((ulong)utf8.Length), .. utf8];
    }

    private static (uint Type, byte[] Bytes) Encode(object value) => value switch
    {
        byte number => (0, [number]),
        uint number => (4, BitConverter.GetBytes(number)),
        int number => (5, BitConverter.GetBytes(number)),
        float number => (6, BitConverter.GetBytes(number)),
        bool flag => (7, [flag ? (byte)1 : (byte)0]),
        string text => (8, StringBytes(text)),
        ulong number => (10, BitConverter.GetBytes(number)),
        string[] texts => (9, [.. ArrayHead(8, texts.Length), .. texts.SelectMany(StringBytes)]),
        int[] numbers => (9, [.. ArrayHead(5, numbers.Length), .. numbers.SelectMany(BitConverter.GetBytes)]),
        float[] numbers => (9, [.. ArrayHead(6, numbers.Length), .. numbers.SelectMany(BitConverter.GetBytes)]),
        _ => throw new ArgumentException($"No encoding for {value.GetType()}.", nameof(value)),
    };

    private static byte[] ArrayHead(uint type, int count)
    {
        byte[] head = new byte[12];
        BinaryPrimitives.WriteUInt32LittleEndian(head, type);
        BinaryPrimitives.WriteUInt64LittleEndian(head.AsSpan(4), (ulong)count);
        return head;
    }

    private long AlignUp(long offset) => (offset + Alignment - 1) / Alignment * Alignment;
}
