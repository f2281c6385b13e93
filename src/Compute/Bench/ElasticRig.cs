using Concertina.Compute.Engine;
using Concertina.Compute.KvCache;
using Concertina.Compute.Model;
using Concertina.Compute.Model.Cpu;
using Concertina.Compute.Profile;

namespace Concertina.Compute.Bench;

/// <summary>An engine whose steps the benchmark runs and times, over a real model.</summary>
internal sealed class ElasticRig : IAsyncDisposable
{
    private readonly PagedKvCache _cache;
    private readonly CpuModelRunner _runner;
    private readonly TimeProvider _time;
    private int _opened;

    public ElasticRig(ModelFile file, KvProfile? profile, ElasticSettings settings, TimeProvider time)
    {
        _time = time;
        EngineOptions options = new() { ReaderBufferTokens = 65_536, Threads = settings.Threads };
        _cache = ModelCache.Create(file, new KvCacheOptions { BudgetBytes = settings.BudgetBytes, Rungs = settings.Rung }, profile);
        _runner = CpuModelRunner.Create(
            file, _cache, new CpuRunnerOptions { MaxStepRows = options.StepTokens, MaxLogitRows = options.MaxLogitRows, Threads = settings.Threads });
        Engine = InferenceEngine.Manual(_runner, _cache, options, time, EngineLadder.Of(_cache, profile));
    }

    public InferenceEngine Engine { get; }

    /// <summary>Opens a session that shares nothing with others.</summary>
    public SequenceHandle Open(string session) =>
        Engine.Open(new SequenceIdentity(session, "bench", PrefixScope.For("bench", $"{session}/{_opened++}")));

    public static Generation Submit(SequenceHandle handle, ReadOnlyMemory<int> prompt, int newTokens, KvSpec kv)
    {
        SubmitResult result = handle.SubmitAsync(
            new GenerationSpec { RequestId = handle.Identity.Key, Prompt = prompt, MaxNewTokens = newTokens, Kv = kv }, CancellationToken.None).AsTask().Result;
        return result.Generation ?? throw new InvalidOperationException($"The benchmark's request was refused: {result.Refusal!.Message}");
    }

    /// <summary>Steps until something holds.</summary>
    /// <param name="done">Looked at after each step.</param>
    /// <param name="stepSeconds">Receives the time of each step, if not null.</param>
    /// <returns>Seconds.</returns>
    /// <exception cref="InvalidOperationException">The engine failed, or has nothing to do although it does not hold.</exception>
    public double StepUntil(Func<bool> done, List<double>? stepSeconds = null)
    {
        long start = _time.GetTimestamp();
        while (!done())
        {
            long step = _time.GetTimestamp();
            bool moved = Engine.StepOnce();
            stepSeconds?.Add(_time.GetElapsedTime(step).TotalSeconds);
            if (Engine.Snapshot.Failure is { } failure)
            {
                throw new InvalidOperationException($"The engine failed: {failure}");
            }
            if (!moved && !done())
            {
                throw new InvalidOperationException(
                    $"The engine has nothing to do, although the benchmark waits; give it a larger budget or fewer tokens. {Engine.Snapshot.Budget}");
            }
        }
        return _time.GetElapsedTime(start).TotalSeconds;
    }

    public async ValueTask DisposeAsync()
    {
        await Engine.DisposeAsync();
        _runner.Dispose();
        _cache.Dispose();
    }
}
