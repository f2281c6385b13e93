using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace Concertina.Compute.Threading;

/// <summary>
/// Chunk-claiming thread pool: threads claim chunks atomically, the caller takes part and never waits for unclaimed
/// work; idle threads spin shortly, then park. Built for machines whose cores are shared.
/// </summary>
/// <remarks>
/// One 64-bit word holds (generation, chunks not yet claimed). A claim is a compare-and-swap that takes one off; because
/// the generation changes with every run, a thread that slept through a run can never take a chunk of the next one by
/// mistake, and the job and its size are stable from a successful claim until that chunk is reported done.
/// </remarks>
public sealed class WorkPool : IDisposable
{
    private const int SpinRounds = 400;
    private const int SpinsPerRound = 30;

    private readonly Thread[] _threads;
    private readonly object _gate = new();
    private Counters _counters;
    private IWorkJob? _job;
    private int _chunkCount;
    private ExceptionDispatchInfo? _failure;
    private int _parkedWorkers;
    private int _running;
    private volatile bool _callerParked;
    private volatile bool _disposed;

    /// <summary>Starts the threads.</summary>
    /// <param name="threadCount">Threads that take part, the caller included; at least 1.</param>
    public WorkPool(int threadCount)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threadCount, 1);
        ThreadCount = threadCount;
        _threads = new Thread[threadCount - 1];
        for (int i = 0; i < _threads.Length; i++)
        {
            int worker = i + 1;
            _threads[i] = new Thread(() => Work(worker)) { IsBackground = true, Name = $"compute-{worker}" };
            _threads[i].Start();
        }
    }

    /// <summary>Threads that take part, the caller included.</summary>
    public int ThreadCount { get; }

    /// <summary>Threads that sleep until the next run.</summary>
    internal int ParkedWorkers => Volatile.Read(ref _parkedWorkers);

    /// <summary>
    /// Runs all chunks of a job and returns when the last one ended. One caller at a time. The first exception of a chunk
    /// is rethrown here after all claimed chunks ended; chunks not yet claimed by then are skipped. Allocates nothing.
    /// </summary>
    /// <exception cref="InvalidOperationException">A run is in progress, on another thread or further up this one.</exception>
    public void Run(IWorkJob job, int chunkCount)
    {
        ArgumentNullException.ThrowIfNull(job);
        ArgumentOutOfRangeException.ThrowIfNegative(chunkCount);
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (Interlocked.Exchange(ref _running, 1) != 0)
        {
            throw new InvalidOperationException("The pool is already running a job; runs neither nest nor overlap.");
        }
        try
        {
            Publish(job, chunkCount);
            ClaimAndExecute(worker: 0);
            AwaitClaimed();
            ExceptionDispatchInfo? failure = _failure;
            _failure = null;
            failure?.Throw();
        }
        finally
        {
            _job = null;
            Volatile.Write(ref _running, 0);
        }
    }

    /// <summary>Ends the threads and waits for them. Must not be called while a run is in progress.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            Monitor.PulseAll(_gate);
        }
        foreach (Thread thread in _threads)
        {
            thread.Join();
        }
    }

    private void Publish(IWorkJob job, int chunkCount)
    {
        _job = job;
        _chunkCount = chunkCount;
        Volatile.Write(ref _counters.Unfinished, chunkCount);
        ulong generation = (Volatile.Read(ref _counters.Claim) >> 32) + 1;
        // A full fence: the word must be visible before the parked count is read, or a thread parks through this run.
        Interlocked.Exchange(ref _counters.Claim, (generation << 32) | (uint)chunkCount);
        if (chunkCount > 1 && Volatile.Read(ref _parkedWorkers) != 0)
        {
            lock (_gate)
            {
                Monitor.PulseAll(_gate);
            }
        }
    }

    private void ClaimAndExecute(int worker)
    {
        ulong word = Volatile.Read(ref _counters.Claim);
        while ((uint)word != 0)
        {
            ulong seen = Interlocked.CompareExchange(ref _counters.Claim, word - 1, word);
            if (seen != word)
            {
                word = seen;
                continue;
            }
            ExecuteClaimed(_chunkCount - (int)(uint)word, worker);
            word = Volatile.Read(ref _counters.Claim);
        }
    }

    private void ExecuteClaimed(int chunk, int worker)
    {
        try
        {
            if (Volatile.Read(ref _failure) is null)
            {
                _job!.Execute(chunk, worker);
            }
        }
        // Any exception of a chunk belongs to the caller of Run; it is rethrown there.
        catch (Exception exception)
        {
            Interlocked.CompareExchange(ref _failure, ExceptionDispatchInfo.Capture(exception), null);
        }
        if (Interlocked.Decrement(ref _counters.Unfinished) == 0 && _callerParked)
        {
            lock (_gate)
            {
                Monitor.PulseAll(_gate);
            }
        }
    }

    private void AwaitClaimed()
    {
        for (int round = 0; round < SpinRounds; round++)
        {
            if (Volatile.Read(ref _counters.Unfinished) == 0)
            {
                return;
            }
            Thread.SpinWait(SpinsPerRound);
        }
        lock (_gate)
        {
            _callerParked = true;
            Interlocked.MemoryBarrier(); // the flag is visible before the count is read; the last chunk does it the other way round
            while (Volatile.Read(ref _counters.Unfinished) != 0)
            {
                Monitor.Wait(_gate);
            }
            _callerParked = false;
        }
    }

    private void Work(int worker)
    {
        while (!_disposed)
        {
            ClaimAndExecute(worker);
            if (!SpinForWork())
            {
                Park();
            }
        }
    }

    private bool SpinForWork()
    {
        for (int round = 0; round < SpinRounds && !_disposed; round++)
        {
            if ((uint)Volatile.Read(ref _counters.Claim) != 0)
            {
                return true;
            }
            Thread.SpinWait(SpinsPerRound);
        }
        return false;
    }

    private void Park()
    {
        lock (_gate)
        {
            Interlocked.Increment(ref _parkedWorkers); // full fence, see Publish
            while ((uint)Volatile.Read(ref _counters.Claim) == 0 && !_disposed)
            {
                Monitor.Wait(_gate);
            }
            Interlocked.Decrement(ref _parkedWorkers);
        }
    }

    /// <summary>The two contended words, each on cache lines of its own.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 384)]
    private struct Counters
    {
        /// <summary>Upper half: generation of the run. Lower half: chunks not yet claimed.</summary>
        [FieldOffset(128)]
        public ulong Claim;

        /// <summary>Chunks not yet ended.</summary>
        [FieldOffset(256)]
        public int Unfinished;
    }
}
