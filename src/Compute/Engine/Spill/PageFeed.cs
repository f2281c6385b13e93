using System.Collections.Concurrent;
using Concertina.Compute.Store.Pages;

namespace Concertina.Compute.Engine.Spill;

/// <summary>
/// Records of a checked page file on their way to the arena: the page thread reads ahead as far as the buffer goes, the engine's
/// takes them. Closed, it gives back the buffer's bytes and lets the file be.
/// </summary>
/// <param name="desk">What waking shares.</param>
/// <param name="file">A checked file.</param>
/// <param name="count">Records wanted, the first not counted.</param>
/// <param name="read">Told how long reading took. Page thread.</param>
/// <param name="time">Clock of that.</param>
internal sealed class PageFeed(PageDesk desk, PageFileReading file, int count, Action<TimeSpan> read, TimeProvider time)
{
    private readonly ConcurrentQueue<byte[]> _records = [];
    private readonly Lock _lock = new();
    private int _posted;
    private int _next; // page thread
    private int _taken;
    private bool _closed;
    private TimeSpan _elapsed;

    /// <summary>Why no more records come, or null. Any thread.</summary>
    public string? Problem { get; private set; }

    /// <summary>Bytes of the record that is taken next.</summary>
    public int NextBytes => file.LengthOf(_taken + 1);

    /// <summary>Takes the next record, whose bytes go back to the buffer. Engine thread.</summary>
    /// <returns>False while it is read.</returns>
    public bool TryTake(out byte[] record)
    {
        if (!_records.TryDequeue(out byte[]? next))
        {
            record = [];
            Ask();
            return false;
        }
        record = next;
        _taken++;
        desk.Incoming.Return(record.Length);
        return true;
    }

    /// <summary>No more is wanted. Engine thread.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _closed = true;
            while (_records.TryDequeue(out byte[]? record))
            {
                desk.Incoming.Return(record.Length);
            }
        }
    }

    private void Ask()
    {
        if (Interlocked.CompareExchange(ref _posted, 1, 0) == 0 && !desk.Worker.TryPost(Fill))
        {
            Volatile.Write(ref _posted, 0);
        }
    }

    // The border of the page thread: what the disk refuses, or a bug, costs this session's file and nothing else, and is told.
    private void Fill()
    {
        long startedAt = time.GetTimestamp();
        try
        {
            if (_next == 0)
            {
                file.Rewind();
                _ = file.Next(); // the first record is known
            }
            while (TryRead())
            {
            }
        }
        catch (Exception problem)
        {
            Problem = $"{problem.GetType().Name}: {problem.Message}";
        }
        _elapsed += time.GetElapsedTime(startedAt);
        if (_next == count)
        {
            read(_elapsed);
        }
        Volatile.Write(ref _posted, 0);
        desk.Wake();
    }

    private bool TryRead()
    {
        if (_next == count || Problem is not null || !TryBegin(file.LengthOf(_next + 1)))
        {
            return false;
        }
        int bytes = file.LengthOf(_next + 1);
        byte[]? record = null;
        try
        {
            record = file.Next();
            Problem = record is null ? $"record {_next + 1} is not what it was when it was checked" : null;
        }
        finally
        {
            Keep(record, bytes);
        }
        return record is not null;
    }

    private bool TryBegin(int bytes)
    {
        lock (_lock)
        {
            return !_closed && desk.Incoming.TryTake(bytes);
        }
    }

    private void Keep(byte[]? record, int bytes)
    {
        lock (_lock)
        {
            if (record is null || _closed)
            {
                desk.Incoming.Return(bytes);
                return;
            }
            _records.Enqueue(record);
            _next++;
        }
    }
}
