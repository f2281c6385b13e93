using Concertina.Runtime.Calls;

namespace Concertina.Runtime.Enumerations;

/// <summary>What a caller of a stream method holds. Each enumeration of it is one run of the method.</summary>
internal sealed class GrainStream<T>(GrainProxy proxy, StreamMethod<T> method, object?[] arguments, CancellationToken token)
    : IAsyncEnumerable<T>
{
    private const int DefaultBatchSize = 100;

    private int _batchSize = DefaultBatchSize;

    internal GrainProxy Proxy => proxy;

    internal StreamMethod<T> Method => method;

    internal object?[] Arguments => arguments;

    /// <summary>The token given as the method's argument.</summary>
    internal CancellationToken Token => token;

    internal int BatchSize => _batchSize;

    public IAsyncEnumerator<T> GetAsyncEnumerator(CancellationToken cancellationToken = default) =>
        new GrainStreamEnumerator<T>(this, cancellationToken);

    internal GrainStream<T> WithBatchSize(int maxBatchSize)
    {
        _batchSize = maxBatchSize;
        return this;
    }
}
