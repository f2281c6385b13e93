using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Concertina.Runtime.Serialization;

/// <summary>Copies values through their wire form.</summary>
internal sealed class ValueCopier<T>(JsonSerializerOptions options) : ValueCopier
{
    private readonly JsonTypeInfo<T> _type = (JsonTypeInfo<T>)options.GetTypeInfo(typeof(T));

    internal override object? Copy(object value) => Copy((T)value);

    internal T Copy(T value)
    {
        if (value is null)
        {
            return value;
        }

        using SharedValues.Scope shared = SharedValues.Enter();
        ArrayBufferWriter<byte> buffer = new();
        using (Utf8JsonWriter writer = new(buffer))
        {
            JsonSerializer.Serialize(writer, value, _type);
        }

        return JsonSerializer.Deserialize(buffer.WrittenSpan, _type)!;
    }
}
