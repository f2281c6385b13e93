namespace Concertina.Compute.Engine;

/// <summary>
/// Hands the figures of the last step to any thread without a lock or an allocation on the engine's side: a sequence
/// lock, odd while the one writer copies.
/// </summary>
internal sealed class ReadingsBoard
{
    private EngineReadings _readings;
    private long _version;

    public void Write(in EngineReadings readings)
    {
        Interlocked.Increment(ref _version);
        _readings = readings;
        Interlocked.Increment(ref _version);
    }

    public EngineReadings Read()
    {
        SpinWait spin = default;
        while (true)
        {
            long before = Interlocked.Read(ref _version);
            EngineReadings copy = _readings;
            Interlocked.MemoryBarrier();
            if ((before & 1) == 0 && Interlocked.Read(ref _version) == before)
            {
                return copy;
            }
            spin.SpinOnce();
        }
    }
}
