using Orleans;

namespace Concertina.Bench.Grains;

/// <summary>The callee: adds one.</summary>
[Alias("bench.counter")]
public interface ICounterGrain : IGrainWithStringKey
{
    /// <summary>Adds an amount; answers with the sum.</summary>
    [Alias("add")]
    Task<int> Add(int amount);

    /// <summary>Calls another counter this often and answers with the ticks of each call.</summary>
    [Alias("measure")]
    Task<long[]> Measure(string other, int calls);
}
