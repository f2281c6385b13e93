using System.Buffers.Binary;

namespace Concertina.Compute.Model.Gguf;

/// <summary>The key-value part of a GGUF file.</summary>
internal sealed class GgufMetadata(MappedFile file)
{
    private const int MaxKeyBytes = 65_535;
    private const int MaxStringBytes = 16 << 20;
    private const int MinimumEntryBytes = 8 + 1 + 4 + 1;

    private readonly Dictionary<string, GgufValue> _values = new(StringComparer.Ordinal);

    /// <summary>Reads all entries; the cursor stands behind them afterwards.</summary>
    public void Read(GgufReader reader, long count)
    {
        for (long i = 0; i < count; i++)
        {
            string key = reader.ReadString($"key {i}", MaxKeyBytes);
            GgufValueType type = ReadType(reader, key);
            GgufValue value = type == GgufValueType.Array ? ReadArray(reader, key) : new(type, IsArray: false, 1, reader.Offset);
            SkipElements(reader, key, value);
            if (!_values.TryAdd(key, value))
            {
                throw reader.Error($"key '{key}' occurs twice.");
            }
        }
    }

    /// <summary>Smallest number of bytes an entry takes, to bound the count.</summary>
    public static int MinimumBytes => MinimumEntryBytes;

    public bool Contains(string key) => _values.ContainsKey(key);

    /// <summary>True for a key whose value is a single string.</summary>
    public bool IsString(string key) => _values.TryGetValue(key, out GgufValue value) && value is { IsArray: false, Type: GgufValueType.String };

    /// <summary>A whole number of any integer type, or null when the key is missing.</summary>
    public long? FindInteger(string key)
    {
        if (!_values.TryGetValue(key, out GgufValue value))
        {
            return null;
        }
        ReadOnlySpan<byte> bytes = Scalar(key, value);
        return value.Type switch
        {
            GgufValueType.UInt8 => bytes[0],
            GgufValueType.Int8 => (sbyte)bytes[0],
            GgufValueType.UInt16 => BinaryPrimitives.ReadUInt16LittleEndian(bytes),
            GgufValueType.Int16 => BinaryPrimitives.ReadInt16LittleEndian(bytes),
            GgufValueType.UInt32 => BinaryPrimitives.ReadUInt32LittleEndian(bytes),
            GgufValueType.Int32 => BinaryPrimitives.ReadInt32LittleEndian(bytes),
            GgufValueType.UInt64 => Checked(key, BinaryPrimitives.ReadUInt64LittleEndian(bytes)),
            GgufValueType.Int64 => BinaryPrimitives.ReadInt64LittleEndian(bytes),
            _ => throw Error($"key '{key}' is a {value.Type}; a whole number is expected."),
        };
    }

    /// <summary>A whole number in a range.</summary>
    public int Integer(string key, int minimum, int maximum, int? fallback = null)
    {
        long number = FindInteger(key) ?? fallback ?? throw Error($"key '{key}' is missing.");
        if (number < minimum || number > maximum)
        {
            throw Error($"key '{key}' is {number}; expected {minimum} to {maximum}.");
        }
        return (int)number;
    }

    /// <summary>A finite number greater than 0.</summary>
    public float Positive(string key, float? fallback = null)
    {
        float number;
        if (_values.TryGetValue(key, out GgufValue value))
        {
            number = value.Type switch
            {
                GgufValueType.Float32 => BinaryPrimitives.ReadSingleLittleEndian(Scalar(key, value)),
                GgufValueType.Float64 => (float)BinaryPrimitives.ReadDoubleLittleEndian(Scalar(key, value)),
                _ => throw Error($"key '{key}' is a {value.Type}; a floating-point number is expected."),
            };
        }
        else
        {
            number = fallback ?? throw Error($"key '{key}' is missing.");
        }
        return float.IsFinite(number) && number > 0
            ? number
            : throw Error($"key '{key}' is {number}; a finite number above 0 is expected.");
    }

    public bool Flag(string key, bool fallback)
    {
        if (!_values.TryGetValue(key, out GgufValue value))
        {
            return fallback;
        }
        return value.Type == GgufValueType.Bool
            ? Scalar(key, value)[0] != 0
            : throw Error($"key '{key}' is a {value.Type}; a boolean is expected.");
    }

    /// <summary>A string, or null when the key is missing.</summary>
    public string? FindString(string key)
    {
        if (!_values.TryGetValue(key, out GgufValue value))
        {
            return null;
        }
        if (value.IsArray || value.Type != GgufValueType.String)
        {
            throw Error($"key '{key}' is a {Describe(value)}; a string is expected.");
        }
        return new GgufReader(file) { Offset = value.Offset }.ReadString($"key '{key}'", MaxStringBytes);
    }

    /// <summary>An array of one element type, or null when the key is missing.</summary>
    public GgufValue? FindArray(string key, GgufValueType elementType)
    {
        if (!_values.TryGetValue(key, out GgufValue value))
        {
            return null;
        }
        return value.IsArray && value.Type == elementType
            ? value
            : throw Error($"key '{key}' is a {Describe(value)}; an array of {elementType} is expected.");
    }

    /// <summary>A cursor at the first element of an array.</summary>
    public GgufReader Elements(GgufValue array) => new(file) { Offset = array.Offset };

    private static long Width(GgufValueType type) => type switch
    {
        GgufValueType.UInt8 or GgufValueType.Int8 or GgufValueType.Bool => 1,
        GgufValueType.UInt16 or GgufValueType.Int16 => 2,
        GgufValueType.UInt32 or GgufValueType.Int32 or GgufValueType.Float32 => 4,
        GgufValueType.String => 8, // the least a string takes: its length
        _ => 8,
    };

    private static GgufValueType ReadType(GgufReader reader, string key)
    {
        uint type = reader.ReadUInt32($"the type of key '{key}'");
        return type <= (uint)GgufValueType.Float64
            ? (GgufValueType)type
            : throw reader.Error($"key '{key}' has value type {type}; known are 0 to {(uint)GgufValueType.Float64}.");
    }

    private static GgufValue ReadArray(GgufReader reader, string key)
    {
        GgufValueType elementType = ReadType(reader, key);
        if (elementType == GgufValueType.Array)
        {
            throw reader.Error($"key '{key}' is an array of arrays, which no supported model uses.");
        }
        long count = reader.ReadCount($"the length of array '{key}'", (int)Width(elementType));
        return new(elementType, IsArray: true, count, reader.Offset);
    }

    private static void SkipElements(GgufReader reader, string key, GgufValue value)
    {
        if (value.Type != GgufValueType.String)
        {
            reader.Skip(value.Count * Width(value.Type), $"key '{key}'");
            return;
        }
        string what = $"key '{key}'";
        for (long i = 0; i < value.Count; i++)
        {
            reader.ReadStringBytes(what, MaxStringBytes);
        }
    }

    private static string Describe(GgufValue value) => value.IsArray ? $"array of {value.Type}" : value.Type.ToString();

    private ReadOnlySpan<byte> Scalar(string key, GgufValue value) => value.IsArray
        ? throw Error($"key '{key}' is an array of {value.Type}; a single value is expected.")
        : file.Span(value.Offset, (int)Width(value.Type));

    private long Checked(string key, ulong number) => number <= long.MaxValue
        ? (long)number
        : throw Error($"key '{key}' is {number}; at most {long.MaxValue} is allowed.");

    private ModelFileException Error(string problem) => new(file.Path, problem);
}
