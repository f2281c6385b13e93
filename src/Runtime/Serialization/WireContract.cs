using System.Globalization;
using System.Reflection;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Orleans;

namespace Concertina.Runtime.Serialization;

/// <summary>Turns the serializer attributes of a type into its JSON contract.</summary>
internal static class WireContract
{
    /// <summary>Members with [Id] are named by it, members without one do not travel, absent members keep their defaults.</summary>
    internal static void Apply(JsonTypeInfo type)
    {
        if (type.Kind != JsonTypeInfoKind.Object || type.Type.GetCustomAttribute<GenerateSerializerAttribute>() is null)
        {
            return;
        }

        for (int i = type.Properties.Count - 1; i >= 0; i--)
        {
            JsonPropertyInfo property = type.Properties[i];
            if (IdOf(type.Type, property) is { } id)
            {
                property.Name = id.ToString(CultureInfo.InvariantCulture);
                property.IsRequired = false;
            }
            else
            {
                type.Properties.RemoveAt(i);
            }
        }
    }

    /// <summary>Members marked [Immutable] are shared by a copy.</summary>
    internal static void ShareImmutable(JsonTypeInfo type)
    {
        foreach (JsonPropertyInfo property in type.Properties)
        {
            if (property.AttributeProvider?.IsDefined(typeof(ImmutableAttribute), inherit: false) == true
                && !property.PropertyType.IsPrimitive)
            {
                property.CustomConverter = (JsonConverter)Activator.CreateInstance(
                    typeof(SharingConverter<>).MakeGenericType(property.PropertyType))!;
            }
        }
    }

    // On a positional record the attribute may stand on the parameter instead of the property.
    private static uint? IdOf(Type type, JsonPropertyInfo property)
    {
        object[] own = property.AttributeProvider?.GetCustomAttributes(typeof(IdAttribute), inherit: false) ?? [];
        if (own.Length > 0)
        {
            return ((IdAttribute)own[0]).Id;
        }

        string name = (property.AttributeProvider as MemberInfo)?.Name ?? property.Name;
        return type.GetConstructors()
            .SelectMany(constructor => constructor.GetParameters())
            .FirstOrDefault(parameter => parameter.Name == name && parameter.IsDefined(typeof(IdAttribute)))
            ?.GetCustomAttribute<IdAttribute>()?.Id;
    }
}
