using Concertina.Compute.Engine;
using Concertina.Compute.KvCache;
using Concertina.Compute.Model;
using Concertina.Grains.Workers;

namespace Concertina.Silo.Models;

/// <summary>A model in memory. Disposing it ends what runs, then frees runner and cache.</summary>
internal sealed class LoadedModel(ServedModel served, InferenceEngine engine, IModelRunner runner, PagedKvCache cache) : IAsyncDisposable
{
    public ServedModel Served { get; } = served;

    public async ValueTask DisposeAsync()
    {
        await engine.DisposeAsync();
        runner.Dispose();
        cache.Dispose();
    }
}
