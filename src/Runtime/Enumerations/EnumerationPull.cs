using Concertina.Runtime.Calls;

namespace Concertina.Runtime.Enumerations;

/// <summary>One pull of a stream. Always interleaves; only the first may bring an activation to life.</summary>
internal sealed class EnumerationPull<T>(GrainStream<T> stream, Guid id, bool first)
    : GrainCall<EnumerationBatch<T>>(stream.Proxy, stream.Method)
{
    internal override bool Interleaves => true;

    internal override bool Activates => first;

    internal override void CancelCallee() => _ = At!.Enumerations.StopAsync(id);

    protected override ValueTask<EnumerationBatch<T>> RunAsync()
    {
        if (IsAnswered)
        {
            return default;
        }

        Enumeration<T> enumeration = first
            ? At!.Enumerations.Begin(id, new Enumeration<T>(At, stream))
            : At!.Enumerations.Find<T>(id);
        return enumeration.PullAsync(stream.BatchSize, ResponseTimeout / 2);
    }
}
