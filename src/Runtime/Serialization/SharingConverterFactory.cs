using System.Text.Json;
using System.Text.Json.Serialization;

namespace Concertina.Runtime.Serialization;

/// <summary>Shares values of immutable classes inside of values that are copied.</summary>
internal sealed class SharingConverterFactory : JsonConverterFactory
{
    public override bool CanConvert(Type typeToConvert) => Immutability.IsMarked(typeToConvert);

    public override JsonConverter CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
        (JsonConverter)Activator.CreateInstance(typeof(SharingConverter<>).MakeGenericType(typeToConvert))!;
}
