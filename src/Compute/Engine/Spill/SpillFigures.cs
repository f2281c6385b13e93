using Concertina.Compute.Store;

namespace Concertina.Compute.Engine.Spill;

/// <summary>What was spilled and woken since start. Thread-safe.</summary>
internal sealed class SpillFigures
{
    private readonly long[] _faults = new long[Enum.GetValues<SessionFileFault>().Length];
    private long _spilled;
    private long _spilledBytes;
    private long _restored;
    private long _restoredBytes;
    private long _recomputed;

    /// <summary>Sequences whose page file is whole on disk.</summary>
    public long Spilled => Interlocked.Read(ref _spilled);

    /// <summary>Bytes of their files.</summary>
    public long SpilledBytes => Interlocked.Read(ref _spilledBytes);

    /// <summary>Sequences that went on from their page file.</summary>
    public long Restored => Interlocked.Read(ref _restored);

    /// <summary>Bytes of the tables they came back to.</summary>
    public long RestoredBytes => Interlocked.Read(ref _restoredBytes);

    /// <summary>Sequences with a page file that were computed anew, because that was measured to be faster or there was no room.</summary>
    public long Recomputed => Interlocked.Read(ref _recomputed);

    /// <summary>Page files that could not be written or used.</summary>
    public long Faults(SessionFileFault fault) => Interlocked.Read(ref _faults[(int)fault]);

    public void AddSpilled(long bytes)
    {
        Interlocked.Increment(ref _spilled);
        Interlocked.Add(ref _spilledBytes, bytes);
    }

    public void AddRestored(long bytes)
    {
        Interlocked.Increment(ref _restored);
        Interlocked.Add(ref _restoredBytes, bytes);
    }

    public void AddRecomputed() => Interlocked.Increment(ref _recomputed);

    public void AddFault(SessionFileFault fault) => Interlocked.Increment(ref _faults[(int)fault]);
}
