using Concertina.Compute.Engine;
using Concertina.Compute.KvCache;
using Concertina.Engine.Tests.Kit;
using Microsoft.Extensions.Time.Testing;

namespace Concertina.Engine.Tests;

/// <summary>An engine never asks its runner for larger steps than it is made for.</summary>
public sealed class RunnerSizeTests
{
    [Theory]
    [InlineData(65, 8, "Engine:StepTokens 65", "64 rows")]
    [InlineData(64, 17, "Engine:MaxRunning 17", "16 logit rows")]
    public async Task A_runner_too_small_for_the_options_is_refused_with_both_sizes(int stepTokens, int maxRunning, string asked, string made)
    {
        ArgumentException refusal = await Assert.ThrowsAsync<ArgumentException>(() => Make(stepTokens, maxRunning));
        Assert.Contains(asked, refusal.Message, StringComparison.Ordinal);
        Assert.Contains(made, refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(64, 16)]
    [InlineData(10, 300)] // no step has more logit rows than rows
    public Task A_runner_as_large_as_the_steps_will_do(int stepTokens, int maxRunning) => Make(stepTokens, maxRunning);

    private static async Task Make(int stepTokens, int maxRunning)
    {
        using PagedKvCache cache = new(FakeRunner.Shape, new KvCacheOptions { BudgetBytes = 16 << 20 });
        using FakeRunner runner = new(cache) { MaxRows = 64, MaxLogitRows = 16 };
        EngineOptions options = new() { StepTokens = stepTokens, MaxRunning = maxRunning };
        await using InferenceEngine engine = InferenceEngine.Manual(runner, cache, options, new FakeTimeProvider());
    }
}
