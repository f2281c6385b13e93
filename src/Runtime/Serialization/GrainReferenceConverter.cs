using System.Text.Json;
using System.Text.Json.Serialization;
using Concertina.Runtime.Calls;
using Concertina.Runtime.Hosting;
using Orleans.Runtime;

namespace Concertina.Runtime.Serialization;

/// <summary>Writes a grain reference as the identity it points to.</summary>
internal sealed class GrainReferenceConverter(Silo silo) : JsonConverterFactory
{
    public override bool CanConvert(Type typeToConvert) =>
        typeToConvert.IsInterface && typeof(IAddressable).IsAssignableFrom(typeToConvert);

    public override JsonConverter CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
        (JsonConverter)Activator.CreateInstance(typeof(Of<>).MakeGenericType(typeToConvert), silo)!;

    private sealed class Of<T>(Silo silo) : JsonConverter<T>
        where T : class
    {
        public override T? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            (T)silo.Factory.Reference(GrainId.Parse(reader.GetString()!), typeof(T));

        public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options)
        {
            if (value is not GrainProxy proxy)
            {
                throw new JsonException(
                    $"{value.GetType()} is not a grain reference. Send this.AsReference<{typeof(T).Name}>(), never the grain object.");
            }

            writer.WriteStringValue(proxy.Target.ToString());
        }
    }
}
