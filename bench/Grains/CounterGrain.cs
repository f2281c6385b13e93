using System.Diagnostics;
using Orleans;

namespace Concertina.Bench.Grains;

/// <summary>Both sides of the measured call.</summary>
public sealed class CounterGrain : Grain, ICounterGrain
{
    private int _sum;

    /// <inheritdoc/>
    public Task<int> Add(int amount) => Task.FromResult(_sum += amount);

    /// <inheritdoc/>
    public async Task<long[]> Measure(string other, int calls)
    {
        ICounterGrain counter = GrainFactory.GetGrain<ICounterGrain>(other);
        long[] ticks = new long[calls];
        for (int i = 0; i < calls; i++)
        {
            long start = Stopwatch.GetTimestamp();
            await counter.Add(1);
            ticks[i] = Stopwatch.GetTimestamp() - start;
        }

        return ticks;
    }
}
