using Concertina.Compute.Model;
using Concertina.Contracts.Workers;
using Concertina.Grains.Workers;
using Concertina.Silo.Options;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Concertina.Silo.Models;

/// <summary>Loads the model in the background, while the process already answers health probes; frees it at the end.</summary>
public sealed class ModelService : IHostedService, IDisposable
{
    private readonly ModelLoader _loader;
    private readonly LocalWorker _worker;
    private readonly ModelOptions _options;
    private readonly ILogger<ModelService> _logger;
    private readonly TaskCompletionSource<ModelFacts> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _stopping = new();
    private LoadedModel? _model;
    private Task _loading = Task.CompletedTask;

    internal ModelService(ModelLoader loader, LocalWorker worker, IOptions<ModelOptions> options, ILogger<ModelService> logger)
    {
        (_loader, _worker, _options, _logger) = (loader, worker, options.Value, logger);
    }

    /// <summary>Called before each stage of loading, on the loading thread.</summary>
    public event Action<LoadStage>? StageChanged;

    /// <summary>Completes when the model is served; fails with what made loading impossible.</summary>
    public Task<ModelFacts> Ready => _ready.Task;

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        _loading = Task.Run(Load, CancellationToken.None);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        await _loading;
        if (_model is { } model)
        {
            await model.DisposeAsync();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _stopping.Dispose();

    private async Task Load()
    {
        try
        {
            LoadedModel model = await _loader.Load(stage => StageChanged?.Invoke(stage), _stopping.Token);
            _model = model;
            ModelFacts facts = model.Served.Facts;
            long budgetBytes = model.Served.Engine.Snapshot.Kv.BudgetBytes;
            SiloLog.ModelLoaded(
                _logger, facts.Name, _options.Path, facts.ParameterCount, facts.WeightBytes, facts.ContextLength, budgetBytes, facts.DeterminismClass);
            _worker.Serve(model.Served);
            StageChanged?.Invoke(LoadStage.Ready);
            _ready.TrySetResult(facts);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            _ready.TrySetCanceled();
        }
        catch (Exception problem) when (problem is ModelFileException or ArgumentException)
        {
            SiloLog.ModelRefused(_logger, _options.ServedName, problem.Message);
            _ready.TrySetException(problem);
        }
        catch (Exception problem)
        {
            SiloLog.ModelFailed(_logger, _options.ServedName, _options.Path, problem);
            _ready.TrySetException(problem);
        }
    }
}
