namespace Concertina.Compute.Threading;

/// <summary>Work cut into numbered chunks that threads claim one by one. Made once and reused; no closures in the step loop.</summary>
public interface IWorkJob
{
    /// <summary>Runs one chunk. Chunks of one job are independent and may run in any order, on any thread.</summary>
    /// <param name="chunk">Chunk index, from 0.</param>
    /// <param name="worker">Index of the running thread, 0 to <see cref="WorkPool.ThreadCount"/> - 1; picks the thread's scratch.</param>
    void Execute(int chunk, int worker);
}
