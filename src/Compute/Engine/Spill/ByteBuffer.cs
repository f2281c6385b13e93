namespace Concertina.Compute.Engine.Spill;

/// <summary>Counts bytes of copies outside the arena against a bound, which is part of the KV budget and no smaller than any copy. Thread-safe.</summary>
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

    /// <summary>Takes room for a copy.</summary>
    /// <returns>False when there is none now.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The copy is larger than the bound, so there will never be room.</exception>
    public bool TryTake(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes, limitBytes);
        lock (_lock)
        {
            if (_usedBytes + bytes > limitBytes)
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
