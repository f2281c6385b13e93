using System.Runtime.CompilerServices;
using Orleans;
using Orleans.Runtime;

namespace Concertina.Runtime.Tests.Conformance;

public sealed class EchoGrain : Grain, IEchoGrain
{
    public Task<string> Key() => Task.FromResult(this.GetPrimaryKeyString());

    public Task Nothing() => Task.CompletedTask;

    public async ValueTask ValueNothing() => await Task.Yield();

    public ValueTask<int> Add(int a, int b, CancellationToken cancellation) => new(a + b);

    public Task<Note> SendBack(Note note) => Task.FromResult(note);

    public Task<string?> ReadContext(string name) => Task.FromResult(RequestContext.Get(name) as string);

    public Task Throw(string kind, string message) => kind switch
    {
        "argument" => throw new ArgumentException(message),
        "private" => throw new UnknownToCallersException(message),
        _ => throw new InvalidOperationException(message, new TimeoutException("inner " + message)),
    };

    public async IAsyncEnumerable<int> Count(int count, [EnumeratorCancellation] CancellationToken cancellation)
    {
        for (int i = 0; i < count; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            if (i % 10 == 9)
            {
                await Task.Yield();
            }

            yield return i;
        }
    }

    public Task<IEchoGrain> Self() => Task.FromResult(this.AsReference<IEchoGrain>());

    public Task Ping() => Task.CompletedTask;

    private sealed class UnknownToCallersException(string message) : Exception(message);
}
