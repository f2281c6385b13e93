using Orleans;
using Orleans.Concurrency;

namespace Concertina.Runtime.Tests.Conformance;

[Alias("test.echo")]
public interface IEchoGrain : IGrainWithStringKey
{
    [Alias("key")]
    Task<string> Key();

    [Alias("void")]
    Task Nothing();

    [Alias("value-void")]
    ValueTask ValueNothing();

    [Alias("add")]
    ValueTask<int> Add(int a, int b, CancellationToken cancellation = default);

    [Alias("note")]
    Task<Note> SendBack(Note note);

    [Alias("context")]
    Task<string?> ReadContext(string name);

    [Alias("throw")]
    Task Throw(string kind, string message);

    [Alias("count")]
    IAsyncEnumerable<int> Count(int count, CancellationToken cancellation = default);

    [Alias("self")]
    Task<IEchoGrain> Self();

    [AlwaysInterleave]
    [Alias("ping")]
    Task Ping();
}
