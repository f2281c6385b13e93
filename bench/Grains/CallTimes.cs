using System.Diagnostics;

namespace Concertina.Bench.Grains;

/// <summary>Percentiles of measured calls, in microseconds.</summary>
internal readonly record struct CallTimes(double MedianMicroseconds, double P99Microseconds, double P999Microseconds)
{
    internal static CallTimes Of(long[] ticks)
    {
        Array.Sort(ticks);
        return new CallTimes(At(ticks, 0.5), At(ticks, 0.99), At(ticks, 0.999));
    }

    private static double At(long[] sorted, double quantile) =>
        Math.Round(sorted[(int)(quantile * (sorted.Length - 1))] * 1e6 / Stopwatch.Frequency, 3);
}
