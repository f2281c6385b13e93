namespace Concertina.Compute.Engine.Spill;

/// <summary>Counts bytes of copies outside the arena against a bound. One copy that is larger than the bound is let in alone. Thread-safe.</summary>
internal sealed class ByteBuffer(long limitBytes)
{
    private readonly Lock _lock = new();
    private long _usedBytes;

    /// <summary>Bytes of copies now.</summary>
    public long UsedBytes
    {
        get
        {
            lock (_lock)
            {
                return _usedBytes;
            }
        }
    }

    public bool TryTake(long bytes)
    {
        lock (_lock)
        {
            if (_usedBytes > 0 && _usedBytes + bytes > limitBytes)
            {
                return false;
            }
            _usedBytes += bytes;
            return true;
        }
    }

    public void Return(long bytes)
    {
        lock (_lock)
        {
            _usedBytes -= bytes;
        }
    }
}
