namespace Concertina.Compute.Threading;

/// <summary>
/// Chunk-claiming thread pool: threads claim chunks atomically, the caller takes part and never waits for unclaimed
/// work; idle threads spin shortly, then park. Built for machines whose cores are shared.
/// </summary>
public sealed class WorkPool : IDisposable
{
    /// <summary>Starts the threads.</summary>
    /// <param name="threadCount">Threads that take part, the caller included; at least 1.</param>
    public WorkPool(int threadCount) => throw new NotImplementedException();

    /// <summary>Threads that take part, the caller included.</summary>
    public int ThreadCount => throw new NotImplementedException();

    /// <summary>Runs all chunks of a job and returns when the last one ended. One caller at a time. An exception of a chunk is rethrown here after all claimed chunks ended.</summary>
    public void Run(IWorkJob job, int chunkCount) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void Dispose() => throw new NotImplementedException();
}
