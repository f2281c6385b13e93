using Orleans;

namespace Concertina.Runtime.Tests.Conformance;

[Alias("test.kept")]
public interface IKeptGrain : IGrainWithStringKey
{
    [Alias("touch")]
    Task<int> Touch();
}

[KeepAlive]
public sealed class KeptGrain : Grain, IKeptGrain
{
    private int _count;

    public Task<int> Touch() => Task.FromResult(++_count);
}
