using Concertina.Contracts.Tenants;

namespace Concertina.Grains.Tenants;

/// <summary>
/// A limit per minute as a bucket that refills continuously. Integer arithmetic in unit-ticks (units times ticks of a
/// minute), so that no unit is ever gained or lost by rounding. One thread at a time.
/// </summary>
internal sealed class RateLimit
{
    private readonly long _perMinute;
    private readonly TimeProvider _time;
    private readonly long _ticksPerMinute;
    private long _updatedAt;
    private Int128 _credit;

    public RateLimit(long perMinute, TimeProvider time)
    {
        _perMinute = perMinute;
        _time = time;
        _ticksPerMinute = time.TimestampFrequency * 60;
        _updatedAt = time.GetTimestamp();
        _credit = Capacity;
    }

    private Int128 Capacity => (Int128)_perMinute * _ticksPerMinute;

    /// <summary>Another limit in place of this one: what was taken and has not come back is taken of it too, at most a minute's worth.</summary>
    public RateLimit Changed(long perMinute)
    {
        Refill();
        RateLimit changed = new(perMinute, _time);
        changed._credit = Int128.Max(0, changed._credit - (Capacity - _credit));
        return changed;
    }

    /// <summary>Units a minute.</summary>
    public long PerMinute => _perMinute;

    /// <summary>Takes units. What was promised and not used comes back by <see cref="Correct"/>.</summary>
    public void Take(long units) => _credit -= (Int128)units * _ticksPerMinute;

    /// <summary>Gives units back (positive) or charges more than was taken (negative); more than full is full.</summary>
    public void Correct(long units)
    {
        Refill();
        _credit = Int128.Min(_credit + ((Int128)units * _ticksPerMinute), Capacity);
    }

    /// <summary>Milliseconds until these units are there: 0 now, null never.</summary>
    public int? WaitMs(long units)
    {
        Refill();
        if (units > _perMinute)
        {
            return null;
        }
        Int128 missing = ((Int128)units * _ticksPerMinute) - _credit;
        return missing <= 0 ? 0 : Milliseconds(missing);
    }

    /// <summary>The limit now.</summary>
    public RateLimitState State()
    {
        Refill();
        long remaining = (long)(Int128.Max(_credit, 0) / _ticksPerMinute);
        return new RateLimitState(_perMinute, remaining, Milliseconds(Capacity - _credit));
    }

    private void Refill()
    {
        long now = _time.GetTimestamp();
        _credit = Int128.Min(_credit + ((Int128)_perMinute * Math.Max(0, now - _updatedAt)), Capacity);
        _updatedAt = now;
    }

    // Rounded up: after this wait the units are there.
    private int Milliseconds(Int128 unitTicks)
    {
        Int128 perMs = (Int128)_perMinute * _time.TimestampFrequency;
        Int128 ms = ((unitTicks * 1000) + perMs - 1) / perMs;
        return (int)Int128.Min(ms, int.MaxValue);
    }
}
