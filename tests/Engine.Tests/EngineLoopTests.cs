using Concertina.Compute.Engine;
using Concertina.Compute.KvCache;
using Concertina.Compute.Model;
using Concertina.Compute.Model.Cpu;
using Concertina.Engine.Tests.Kit;

namespace Concertina.Engine.Tests;

public sealed class EngineLoopTests
{
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Readers_on_other_threads_get_every_token_in_order()
    {
        using PagedKvCache cache = new(FakeRunner.Shape, new KvCacheOptions { BudgetBytes = 64 << 20 });
        using FakeRunner runner = new(cache) { Records = false };
        await using InferenceEngine engine = new(runner, cache, new EngineOptions { ReaderBufferTokens = 3 }, new EngineServices { Time = TimeProvider.System });

        Task[] clients = [.. Enumerable.Range(0, 16).Select(i => Task.Run(async () =>
        {
            await using SequenceHandle handle = engine.Open(new SequenceIdentity($"t/{i}", "t", PrefixScope.For("t", null)));
            int[] prompt = EngineBench.Prompt(10 + i, seed: i);
            SubmitResult result = await handle.SubmitAsync(
                new GenerationSpec { RequestId = $"r{i}", Prompt = prompt, MaxNewTokens = 100 }, CancellationToken.None);
            Assert.Equal(HashModel.Greedy(prompt, 100), await ReadAll(result.Generation!, step: 1 + (i % 5)));
            Assert.Equal(FinishKind.Length, result.Generation!.End!.Kind);
        }))];

        await Task.WhenAll(clients).WaitAsync(Guard);
    }

    [Fact]
    public async Task The_demo_model_answers_through_the_engine()
    {
        string? path = DemoModel();
        if (path is null)
        {
            Assert.Skip("models/demo/demo-q8_0.gguf is not in this checkout.");
        }
        using ModelFile file = ModelFile.Open(path);
        ModelConfig model = file.Config;
        using PagedKvCache cache = new(
            new KvShape(model.LayerCount, model.KvHeadCount, model.GroupSize, model.HeadDim), new KvCacheOptions { BudgetBytes = 64 << 20 });
        using CpuModelRunner runner = CpuModelRunner.Create(file, cache, new CpuRunnerOptions());
        await using InferenceEngine engine = new(runner, cache, new EngineOptions(), new EngineServices { Time = TimeProvider.System });
        int[] prompt = EngineBench.Prompt(300, seed: 5);

        async Task<int[]> Ask(string key)
        {
            await using SequenceHandle handle = engine.Open(new SequenceIdentity(key, "t", PrefixScope.For("t", key)));
            SubmitResult result = await handle.SubmitAsync(
                new GenerationSpec { RequestId = key, Prompt = prompt, MaxNewTokens = 24 }, CancellationToken.None);
            return await ReadAll(result.Generation!, step: 8);
        }

        int[] alone = await Ask("t/alone").WaitAsync(Guard);
        int[][] together = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => Ask($"t/{i}"))).WaitAsync(Guard);

        Assert.Equal(24, alone.Length);
        Assert.All(together, tokens => Assert.Equal(alone, tokens));
    }

    private static string? DemoModel()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string path = Path.Combine(folder.FullName, "models", "demo", "demo-q8_0.gguf");
            if (File.Exists(path))
            {
                return path;
            }
        }
        return null;
    }

    private static async Task<int[]> ReadAll(Generation generation, int step)
    {
        List<int> tokens = [];
        int[] some = new int[step];
        int count;
        while ((count = await generation.ReadAsync(some, CancellationToken.None)) > 0)
        {
            tokens.AddRange(some.AsSpan(0, count));
        }
        return [.. tokens];
    }
}
