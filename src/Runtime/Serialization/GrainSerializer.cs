using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Concertina.Runtime.Serialization;

/// <summary>
/// The wire form of values: JSON by System.Text.Json, source-generated where a contract assembly brings a
/// JsonSerializerContext. Members of [GenerateSerializer] types are named by their [Id]; unknown members are ignored.
/// </summary>
internal sealed class GrainSerializer
{
    private readonly ConcurrentDictionary<Type, ValueCopier?> _copiers = new();
    private readonly JsonSerializerOptions _wire;
    private readonly JsonSerializerOptions _copy;

    internal GrainSerializer(IReadOnlyList<IJsonTypeInfoResolver> resolvers, Func<GrainReferenceConverter> references)
    {
        IJsonTypeInfoResolver all = JsonTypeInfoResolver.Combine([.. resolvers, new DefaultJsonTypeInfoResolver()]);
        _wire = new JsonSerializerOptions
        {
            TypeInfoResolver = all.WithAddedModifier(WireContract.Apply),
            IncludeFields = true,
            Converters = { references() },
        };
        _copy = new JsonSerializerOptions
        {
            TypeInfoResolver = all.WithAddedModifier(WireContract.Apply).WithAddedModifier(WireContract.ShareImmutable),
            IncludeFields = true,
            Converters = { references(), new SharingConverterFactory() },
        };
    }

    /// <summary>Copies values of a type; null when they may be shared.</summary>
    internal ValueCopier? CopierOf(Type type) => _copiers.GetOrAdd(type, static (type, self) => self.CreateCopier(type), this);

    internal byte[] Serialize<T>(T value) => JsonSerializer.SerializeToUtf8Bytes(value, (JsonTypeInfo<T>)_wire.GetTypeInfo(typeof(T)));

    internal T? Deserialize<T>(ReadOnlySpan<byte> bytes) =>
        JsonSerializer.Deserialize(bytes, (JsonTypeInfo<T>)_wire.GetTypeInfo(typeof(T)));

    internal Dictionary<string, object> CopyContext(Dictionary<string, object> values)
    {
        Dictionary<string, object> copy = new(values.Count);
        foreach ((string key, object value) in values)
        {
            copy.Add(key, CopierOf(value.GetType()) is { } copier ? copier.Copy(value)! : value);
        }

        return copy;
    }

    private ValueCopier? CreateCopier(Type type) => Immutability.IsShareable(type)
        ? null
        : (ValueCopier)Activator.CreateInstance(
            typeof(ValueCopier<>).MakeGenericType(type),
            System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Public,
            null,
            [_copy],
            null)!;
}
