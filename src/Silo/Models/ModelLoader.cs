using System.Diagnostics.Metrics;
using Concertina.Compute.Engine;
using Concertina.Compute.Engine.Spill;
using Concertina.Compute.Evaluation;
using Concertina.Compute.KvCache;
using Concertina.Compute.Model;
using Concertina.Compute.Model.Cpu;
using Concertina.Compute.Profile;
using Concertina.Compute.Store;
using Concertina.Contracts.Workers;
using Concertina.Grains.Workers;
using Concertina.Silo.Memory;
using Concertina.Silo.Options;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Concertina.Silo.Models;

/// <summary>Makes an engine from a model file and the options.</summary>
internal sealed class ModelLoader(
    IOptions<ModelOptions> model, IOptions<KvCacheOptions> cacheOptions, IOptions<EngineOptions> engineOptions,
    IMeterFactory meters, TimeProvider time, SiloMetrics metrics, SessionTokenStore store, ILogger<ModelLoader> logger)
{
    private const int MebibyteBits = 20;

    /// <summary>Loads, step by step; the stages come before the work they name.</summary>
    /// <exception cref="ModelFileException">The file cannot be used.</exception>
    /// <exception cref="ArgumentException">The KV budget is too small; the message has the bytes.</exception>
    public async Task<LoadedModel> Load(Action<LoadStage> onStage, CancellationToken cancellation)
    {
        onStage(LoadStage.Reading);
        using ModelFile file = ModelFile.Open(model.Value.Path);
        KvProfile? profile = ModelProfile.Find(model.Value.Path, cacheOptions.Value.Profile, file, logger);
        KvCacheOptions options = WithBudget(file.Config, new FileInfo(model.Value.Path).Length);
        PagedKvCache cache = ModelCache.Create(file, options, profile);
        CpuModelRunner? runner = null;
        InferenceEngine? engine = null;
        try
        {
            onStage(LoadStage.Weights);
            runner = CpuModelRunner.Create(file, cache, RunnerOptions(engineOptions.Value));
            if (Failed(runner, cache, profile) is { Count: > 0 } failed)
            {
                runner.Dispose();
                runner = null;
                cache.Dispose();
                cache = ModelCache.Create(file, Without(options, profile, failed), profile);
                runner = CpuModelRunner.Create(file, cache, RunnerOptions(engineOptions.Value));
            }
            engine = new InferenceEngine(runner, cache, engineOptions.Value, new EngineServices
            {
                Time = time,
                Meters = new ModelMeters(meters, model.Value.ServedName),
                Profile = profile,
                Pages = PagesOf(file, cache, runner, profile),
            });
            onStage(LoadStage.WarmingUp);
            await WarmUp.Run(engine, file.Config.VocabularySize, cancellation);
            return new LoadedModel(Served(file, runner, cache, engine), engine, runner, cache);
        }
        catch
        {
            await (engine?.DisposeAsync() ?? ValueTask.CompletedTask);
            runner?.Dispose();
            cache.Dispose();
            throw;
        }
    }

    private SessionPages PagesOf(ModelFile file, PagedKvCache cache, CpuModelRunner runner, KvProfile? profile) => new()
    {
        Store = store.Pages,
        ModelHash = file.ContentHash,
        Formats = SessionPages.FormatsOf(cache, runner.DeterminismClass, profile),
        OnFault = (session, fault, detail) => SiloLog.PageFileFaulty(logger, session, fault, detail),
    };

    /// <summary>Tries every rung; one that is wrong on this model is logged, counted and left out.</summary>
    private IReadOnlyCollection<string> Failed(CpuModelRunner runner, PagedKvCache cache, KvProfile? profile)
    {
        SelfTestResult result = RungSelfTest.Run(runner, cache, profile);
        if (result.NotRun is { } reason)
        {
            SiloLog.RungsNotTried(logger, model.Value.ServedName, reason);
        }
        foreach ((string rung, string problem) in result.Failed)
        {
            SiloLog.RungFailed(logger, rung, model.Value.ServedName, problem);
            metrics.RungFailed(rung);
        }
        return [.. result.Failed.Keys];
    }

    private static KvCacheOptions Without(KvCacheOptions options, KvProfile? profile, IReadOnlyCollection<string> failed)
    {
        IEnumerable<string> left = ModelCache.RungNames(options, profile).Where(rung => !failed.Contains(rung));
        return options with { Rungs = string.Join(',', left.Prepend("f16")) };
    }

    /// <summary>The automatic budget: half of what the weights and the buffers of a step leave.</summary>
    internal static long AutomaticBudget(long availableBytes, long weightBytes, long stepBytes) =>
        Math.Max(0, availableBytes - weightBytes - stepBytes) / 2 >> MebibyteBits << MebibyteBits;

    private KvCacheOptions WithBudget(ModelConfig config, long weightBytes)
    {
        if (cacheOptions.Value.BudgetBytes > 0)
        {
            return cacheOptions.Value;
        }
        CpuRunnerOptions sizes = RunnerOptions(engineOptions.Value);
        long stepBytes = CpuModelRunner.ScratchBytesFor(config, sizes)
            + StepBatch.BytesFor(sizes.MaxStepRows, sizes.MaxLogitRows, config.VocabularySize);
        return cacheOptions.Value with { BudgetBytes = AutomaticBudget(MachineMemory.AvailableBytes(), weightBytes, stepBytes) };
    }

    private static CpuRunnerOptions RunnerOptions(EngineOptions options) => new()
    {
        Threads = options.Threads,
        MaxStepRows = options.StepTokens,
        MaxLogitRows = options.MaxLogitRows,
    };

    private ServedModel Served(ModelFile file, CpuModelRunner runner, PagedKvCache cache, InferenceEngine engine)
    {
        const int columnTokens = KvShape.PageTokens;
        long columnBytes = cache.CommitmentBytes(2 * columnTokens) - cache.CommitmentBytes(columnTokens);
        return new ServedModel
        {
            Engine = engine,
            TokenizerBytes = file.TokenizerBytes,
            TranscodeReserveBytes = cache.TranscodeReserveBytes,
            FloorBytesPerColumn = cache.LeastColumnBytes,
            QueueLimit = engineOptions.Value.QueueLimit,
            Facts = new ModelFacts
            {
                Name = model.Value.ServedName,
                Hash = file.ContentHash,
                Architecture = file.Config.Architecture,
                ContextLength = file.Config.ContextLength,
                VocabularySize = file.Config.VocabularySize,
                ParameterCount = file.ParameterCount,
                WeightBytes = runner.WeightBytes,
                KvBytesPerToken = columnBytes / columnTokens,
                LoadedAtUnixSeconds = time.GetUtcNow().ToUnixTimeSeconds(),
                DeterminismClass = runner.DeterminismClass,
                TokenizerBytes = file.TokenizerBytes.Length,
            },
        };
    }
}
