using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Concertina.Contracts;
using Concertina.Contracts.Sessions;
using Concertina.Runtime.Serialization;
using Orleans;

namespace Concertina.Grains.Tests.Wire;

/// <summary>
/// Messages are immutable, so within a process they are passed as they are; this is what says that they survive the wire
/// all the same, each member under its number.
/// </summary>
public sealed class RoundTripTests
{
    private static readonly GrainSerializer Serializer = new([ContractsJson.Default], () => new GrainReferenceConverter(null!));

    private static readonly JsonSerializerOptions ByName = new() { TypeInfoResolver = new DefaultJsonTypeInfoResolver(), IncludeFields = true };

    public static TheoryData<Type> Messages() =>
        [.. new[] { typeof(GenerateRequest).Assembly, typeof(Concertina.Grains.Sessions.SequenceGrain).Assembly }
            .SelectMany(assembly => assembly.GetTypes())
            .Where(type => type.GetCustomAttribute<GenerateSerializerAttribute>() is not null && !type.IsEnum)];

    [Theory]
    [MemberData(nameof(Messages))]
    public void Every_member_of_a_message_survives_the_wire(Type message)
    {
        int seed = 0;
        object sent = Fill(message, ref seed);

        byte[] wire = (byte[])Call(nameof(GrainSerializer.Serialize), message, sent)!;
        object? received = typeof(RoundTripTests).GetMethod(nameof(Receive), BindingFlags.NonPublic | BindingFlags.Static)!
            .MakeGenericMethod(message).Invoke(null, [wire]);

        Assert.Equal(Plain(sent), Plain(received!));
        AssertNumbered(message, wire);
    }

    private static T? Receive<T>(byte[] wire) => Serializer.Deserialize<T>(wire);

    private static object? Call(string method, Type type, object argument) =>
        typeof(GrainSerializer).GetMethod(method, BindingFlags.NonPublic | BindingFlags.Instance)!.MakeGenericMethod(type).Invoke(Serializer, [argument]);

    private static string Plain(object value) => JsonSerializer.Serialize(value, ByName);

    // The wire names are the numbers, so that a member can be renamed.
    private static void AssertNumbered(Type message, byte[] wire)
    {
        IEnumerable<string> numbers = message.GetProperties()
            .Select(property => property.GetCustomAttribute<IdAttribute>()).OfType<IdAttribute>().Select(id => $"{id.Id}").Order();
        Assert.Equal(numbers, JsonDocument.Parse(wire).RootElement.EnumerateObject().Select(member => member.Name).Order());
    }

    private static object Fill(Type type, ref int seed)
    {
        seed++;
        if (Nullable.GetUnderlyingType(type) is { } inner)
        {
            return Fill(inner, ref seed);
        }
        if (type.IsEnum)
        {
            return Enum.GetValues(type).GetValue(Enum.GetValues(type).Length - 1)!;
        }
        if (type.IsArray)
        {
            Array array = Array.CreateInstance(type.GetElementType()!, 2);
            array.SetValue(Fill(type.GetElementType()!, ref seed), 0);
            array.SetValue(Fill(type.GetElementType()!, ref seed), 1);
            return array;
        }
        return type == typeof(string) ? $"text {seed}"
            : type == typeof(bool) ? true
            : type == typeof(DateTimeOffset) ? DateTimeOffset.UnixEpoch.AddDays(seed)
            : type.IsPrimitive ? Convert.ChangeType(seed, type, null)
            : FillObject(type, ref seed);
    }

    private static object FillObject(Type type, ref int seed)
    {
        ConstructorInfo constructor = type.GetConstructors()
            .Where(each => each.GetParameters() is not [{ } only] || only.ParameterType != type)
            .MaxBy(each => each.GetParameters().Length)!;
        ParameterInfo[] parameters = constructor.GetParameters();
        object[] arguments = new object[parameters.Length];
        for (int i = 0; i < arguments.Length; i++)
        {
            arguments[i] = Fill(parameters[i].ParameterType, ref seed);
        }
        object value = constructor.Invoke(arguments);
        foreach (PropertyInfo property in type.GetProperties())
        {
            if (property.CanWrite && parameters.All(parameter => parameter.Name != property.Name))
            {
                property.SetValue(value, Fill(property.PropertyType, ref seed));
            }
        }
        return value;
    }
}
