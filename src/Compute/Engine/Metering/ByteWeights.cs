using Concertina.Compute.Engine.Scheduling;

namespace Concertina.Compute.Engine.Metering;

/// <summary>
/// Makes bytes the second resource of fair shares: four times a second a tenant whose share of the cache was larger than its
/// share of the rows pays as many rows as its bytes are worth, as if it had been served them. Only while memory is short, because
/// bytes that nobody else wants cost nobody anything; and a row never costs more than <see cref="MostPrice"/> of them, so that
/// whoever holds bytes is served less and never starves. Engine thread only.
/// </summary>
/// <remarks>
/// Ghodsi et al., Dominant Resource Fairness (NSDI 2011): the larger of two normalized shares counts. Deviations: the share of
/// rows is that of the rows there were, not of a capacity; shares are taken over a quarter of a second; the price is bounded.
/// </remarks>
internal sealed class ByteWeights(FairClocks clocks, TimeProvider time)
{
    /// <summary>Rows that one row of a tenant may cost it at most: it keeps a quarter of its share.</summary>
    public const double MostPrice = 4;

    private const double IntervalSeconds = 0.25;
    private long _weighedAt = time.GetTimestamp();

    /// <summary>Weighs, if it is time.</summary>
    /// <param name="now">When the step began; byte-seconds are charged up to it.</param>
    /// <param name="capacityBytes">Bytes that may be promised.</param>
    /// <param name="isShort">Whether memory is short.</param>
    public void Weigh(long now, long capacityBytes, bool isShort)
    {
        double seconds = time.GetElapsedTime(_weighedAt, now).TotalSeconds;
        if (seconds < IntervalSeconds)
        {
            return;
        }
        _weighedAt = now;
        double rows = 0;
        foreach (TenantClock clock in clocks.All)
        {
            rows += clock.Rows;
        }
        double rowsPerByteSecond = rows / (Math.Max(1, capacityBytes) * seconds);
        foreach (TenantClock clock in clocks.All)
        {
            Weigh(clock, isShort ? rowsPerByteSecond : 0);
        }
    }

    private static void Weigh(TenantClock clock, double rowsPerByteSecond)
    {
        if (clock.Meter is not { } meter)
        {
            return;
        }
        double worth = (meter.ByteSeconds - clock.WeighedByteSeconds) * rowsPerByteSecond;
        clock.Served += Math.Clamp(worth - clock.Rows, 0, (MostPrice - 1) * clock.Rows) / clock.Weight;
        clock.WeighedByteSeconds = meter.ByteSeconds;
        clock.Rows = 0;
    }
}
