using Concertina.Runtime.Enumerations;

namespace Orleans.Runtime;

/// <summary>Settings of a stream that a grain method returned.</summary>
public static class AsyncEnumerableExtensions
{
    /// <summary>
    /// Bounds how many elements travel at once; 100 by default. Apply it directly to the grain's result: on anything
    /// else it has no effect.
    /// </summary>
    public static IAsyncEnumerable<T> WithBatchSize<T>(this IAsyncEnumerable<T> self, int maxBatchSize)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxBatchSize);
        return self is GrainStream<T> stream ? stream.WithBatchSize(maxBatchSize) : self;
    }
}
