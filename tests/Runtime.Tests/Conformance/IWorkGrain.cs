using Orleans;
using Orleans.Concurrency;

namespace Concertina.Runtime.Tests.Conformance;

[Alias("test.work")]
public interface IWorkGrain : IGrainWithStringKey
{
    [Alias("next")]
    Task<int> Next(CancellationToken cancellation = default);

    [Alias("hold")]
    Task Hold(string gate, CancellationToken cancellation = default);

    [AlwaysInterleave]
    [Alias("peek")]
    Task<int> Peek();

    [ResponseTimeout("00:00:02")]
    [Alias("slow")]
    Task Slow(string gate, CancellationToken cancellation = default);

    [Alias("end")]
    Task End();

    [Alias("delay")]
    Task DelayEnd(TimeSpan time);

    [Alias("relay")]
    Task<int> Relay(IWorkGrain other, IWorkGrain? then);

    [Alias("ambient")]
    Task<string> Ambient();

    [Alias("tokens")]
    IAsyncEnumerable<int> Tokens(string gate, int before, int after, CancellationToken cancellation = default);

    [Alias("faulty")]
    IAsyncEnumerable<int> Faulty(int before);
}
