#pragma warning disable CS1591, CA1019, CA1018, CA1813, CA1711
// Placeholder for the names the contracts need; the grain host replaces this file as a whole.
namespace Orleans
{
    public interface IGrain;

    public interface IGrainWithStringKey : IGrain;

    [AttributeUsage(AttributeTargets.Class | AttributeTargets.Struct | AttributeTargets.Enum)]
    public sealed class GenerateSerializerAttribute : Attribute;

    [AttributeUsage(AttributeTargets.All)]
    public sealed class IdAttribute(uint id) : Attribute
    {
        public uint Id { get; } = id;
    }

    [AttributeUsage(AttributeTargets.All)]
    public sealed class AliasAttribute(string alias) : Attribute
    {
        public string Alias { get; } = alias;
    }

    [AttributeUsage(AttributeTargets.All)]
    public sealed class ImmutableAttribute : Attribute;

    [AttributeUsage(AttributeTargets.All)]
    public sealed class ResponseTimeoutAttribute(string timeout) : Attribute
    {
        public string Timeout { get; } = timeout;
    }
}

namespace Orleans.Concurrency
{
    [AttributeUsage(AttributeTargets.Method)]
    public sealed class AlwaysInterleaveAttribute : Attribute;
}
