using System.Text.Json;
using System.Text.Json.Serialization;

namespace Concertina.Runtime.Serialization;

/// <summary>Stands in for an immutable value while a value around it is copied.</summary>
internal sealed class SharingConverter<T> : JsonConverter<T>
{
    public override T? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        (T?)SharedValues.Get(reader.GetInt32());

    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) =>
        writer.WriteNumberValue(SharedValues.Add(value));
}
