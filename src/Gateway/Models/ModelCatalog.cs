using System.Collections.Frozen;
using Concertina.Contracts.Budget;
using Concertina.Contracts.Workers;
using Concertina.Gateway.Http;
using Concertina.Gateway.Telemetry;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans;

namespace Concertina.Gateway.Models;

/// <summary>
/// The served models: facts and tokenizer are fetched once per model hash from any worker, the load of the workers at
/// every <see cref="Refresh"/>. Reading never waits.
/// </summary>
internal sealed class ModelCatalog(
    IGrainFactory grains, IModelDirectory directory, IOptions<GatewayOptions> options, GatewayCalls calls, ILogger<ModelCatalog> logger)
    : IDisposable
{
    private readonly GatewayOptions _options = options.Value;
    private readonly SemaphoreSlim _refreshing = new(1, 1);
    private volatile FrozenDictionary<string, ServedModel> _known = FrozenDictionary<string, ServedModel>.Empty;

    /// <summary>Models that are ready to be asked, in the order of their names.</summary>
    public IEnumerable<ServedModel> Known => _known.Values.OrderBy(model => model.Facts.Name, StringComparer.Ordinal);

    /// <summary>Names that shall be served, ready or not.</summary>
    public IReadOnlyCollection<string> Names => directory.Names;

    /// <summary>Model of a request that names none; null: there is no such model.</summary>
    public string? Default => _options.DefaultModel;

    /// <summary>Finds a model by its name, an alias, or the default when no name was given.</summary>
    public Outcome<ServedModel> Find(string? asked)
    {
        string? name = string.IsNullOrEmpty(asked) ? Default : asked;
        if (name is null)
        {
            return ApiErrors.Missing("model");
        }
        name = _options.Aliases.GetValueOrDefault(name, name);
        if (_known.TryGetValue(name, out ServedModel? model))
        {
            return model;
        }
        return directory.Names.Contains(name) ? ApiErrors.ModelLoading(name) : ApiErrors.ModelNotFound(name);
    }

    /// <summary>Looks at the workers of every model; a model whose workers do not answer keeps what was known.</summary>
    public async Task Refresh(CancellationToken cancellation)
    {
        // One at a time: an older look must not overwrite a newer one.
        await _refreshing.WaitAsync(cancellation);
        try
        {
            await LookAtAll(cancellation);
        }
        finally
        {
            _refreshing.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _refreshing.Dispose();

    private async Task LookAtAll(CancellationToken cancellation)
    {
        Dictionary<string, ServedModel> next = [];
        foreach (string name in directory.Names)
        {
            ServedModel? known = _known.GetValueOrDefault(name);
            try
            {
                known = await Look(name, known, cancellation);
            }
            catch (Exception failure) when (!cancellation.IsCancellationRequested)
            {
                logger.ModelNotSeen(failure, name);
            }
            if (known is not null)
            {
                next[name] = known;
            }
        }
        _known = next.ToFrozenDictionary(StringComparer.Ordinal);
    }

    private async Task<ServedModel?> Look(string name, ServedModel? known, CancellationToken cancellation)
    {
        ClusterLoad load = await Call(token => grains.GetGrain<IMemoryBudgetGrain>(name).Workers(token), cancellation);
        if (known is null || (load.Workers.Length > 0 && !Array.Exists(load.Workers, worker => worker.Worker == known.FactsFrom)))
        {
            known = await Meet(load, known, cancellation) ?? known;
        }
        known?.Load = load;
        return known;
    }

    /// <summary>Asks the workers for the model's facts until one has them.</summary>
    private async Task<ServedModel?> Meet(ClusterLoad load, ServedModel? known, CancellationToken cancellation)
    {
        foreach (WorkerLoad worker in load.Workers)
        {
            IWorkerGrain grain = grains.GetGrain<IWorkerGrain>(worker.Worker);
            if (await Call(grain.Facts, cancellation) is { } facts)
            {
                ModelText text = known?.Facts.Hash == facts.Hash ? known.Text : await ReadText(grain, facts, cancellation);
                logger.ModelKnown(facts.Name, facts.Hash, facts.ContextLength, worker.Worker);
                if (text.TemplateIsFallback)
                {
                    logger.TemplateMissing(facts.Name);
                }
                return new ServedModel(facts, text, worker.Worker);
            }
        }
        return null;
    }

    private async Task<ModelText> ReadText(IWorkerGrain worker, ModelFacts facts, CancellationToken cancellation)
    {
        using MemoryStream bytes = new(facts.TokenizerBytes);
        while (true)
        {
            int offset = (int)bytes.Length;
            byte[] part = await Call(token => worker.TokenizerPart(facts.Hash, offset, token), cancellation);
            if (part.Length == 0)
            {
                break;
            }
            bytes.Write(part);
        }
        if (bytes.Length != facts.TokenizerBytes)
        {
            throw new InvalidDataException(
                $"The tokenizer of '{facts.Name}' came as {bytes.Length} bytes instead of {facts.TokenizerBytes}; the worker restarted meanwhile or runs another version.");
        }
        return ModelText.Read(bytes.ToArray());
    }

    private async Task<T> Call<T>(Func<CancellationToken, Task<T>> call, CancellationToken cancellation) =>
        await calls.Lookup.ExecuteAsync(async token => await call(token).WaitAsync(token), cancellation);
}
