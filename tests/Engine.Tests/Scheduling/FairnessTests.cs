using Concertina.Compute.Engine;
using Concertina.Engine.Tests.Kit;

namespace Concertina.Engine.Tests.Scheduling;

public sealed class FairnessTests
{
    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(2, 1, 3)]
    [InlineData(3, 4, 1)]
    public async Task Backlogged_tenants_are_served_by_weight_whatever_they_send(int seed, int firstWeight, int secondWeight)
    {
        await using EngineBench bench = new(new EngineOptions { MaxRunning = 4, StepTokens = 16, QueueLimit = 100, ReaderBufferTokens = 200 });
        Random random = new(seed);
        long[] served = new long[2];
        List<(TokenStream Stream, int Tenant)> open = [];
        int[] weights = [firstWeight, secondWeight];
        double worst = 0;

        for (int step = 0; step < 3_000; step++)
        {
            for (int tenant = 0; tenant < 2; tenant++)
            {
                while (open.Count(request => request.Tenant == tenant) < 8)
                {
                    // The second one sends long prompts and short answers, the first the other way round.
                    int prompt = tenant == 0 ? random.Next(1, 10) : random.Next(50, 120);
                    GenerationSpec spec = bench.Spec(EngineBench.Prompt(prompt, random.Next()), tenant == 0 ? random.Next(40, 90) : random.Next(1, 9));
                    open.Add((EngineBench.Submit(bench.Open($"t{tenant}"), spec with { Weight = weights[tenant] }), tenant));
                }
            }
            bench.Engine.StepOnce();
            bench.Engine.CheckLaws();
            foreach ((TokenStream stream, int tenant) in open.Where(request => request.Stream.End is not null))
            {
                served[tenant] += stream.PromptTokens - stream.CachedTokens + stream.End!.GeneratedTokens;
            }
            open.RemoveAll(request => request.Stream.End is not null);
            worst = Math.Max(worst, Math.Abs(((double)served[0] / firstWeight) - ((double)served[1] / secondWeight)));
        }

        Assert.True(served.Sum() > 10_000, $"{served[0]} and {served[1]} tokens");
        // What runs at once, and is not counted before its end, is at most 4 requests of 128 tokens.
        Assert.True(worst <= 4 * 128, $"Served per weight differ by {worst}: {served[0]} and {served[1]} tokens.");
    }

    [Fact]
    public async Task A_tenant_that_was_idle_has_no_credit()
    {
        await using EngineBench bench = new(new EngineOptions { MaxRunning = 1, ReaderBufferTokens = 200 });
        for (int i = 0; i < 20; i++)
        {
            bench.Finish(bench.Submit([1, 2, 3], 50, tenant: "busy"));
        }
        TokenStream running = bench.Submit([1, 2, 3], 50, tenant: "busy");
        bench.Step();

        TokenStream[] busy = [.. Enumerable.Range(0, 6).Select(i => bench.Submit([1, i], 20, tenant: "busy"))];
        TokenStream[] late = [.. Enumerable.Range(0, 6).Select(i => bench.Submit([2, i], 20, tenant: "late"))];
        bench.Finish(late[^1]);

        Assert.InRange(busy.Count(stream => stream.End is not null), 3, 6); // not six of the late one first
        Assert.NotNull(running.End);
        foreach (TokenStream stream in busy)
        {
            bench.Finish(stream);
        }
    }

    [Fact]
    public async Task A_long_prompt_does_not_stall_running_streams()
    {
        await using EngineBench bench = new(new EngineOptions { StepTokens = 16 });
        TokenStream stream = bench.Submit([1, 2], 200);
        bench.Step();
        TokenStream prompt = bench.Submit(EngineBench.Prompt(600, seed: 1), 4);

        int steps = 0;
        for (; prompt.End is null && steps < 200; steps++)
        {
            Assert.Single(EngineBench.Read(stream)); // one token in each step
            bench.Step();
            EngineBench.Read(prompt);
        }

        Assert.InRange(steps, 600 / 15, (600 / 15) + 6);
        stream.Cancel();
    }

    [Fact]
    public async Task A_full_house_of_streams_does_not_starve_a_prompt()
    {
        await using EngineBench bench = new(new EngineOptions { StepTokens = 8, MaxRunning = 40, ReaderBufferTokens = 400 });
        TokenStream[] streams = [.. Enumerable.Range(0, 20).Select(i => bench.Submit([i], 300, tenant: $"t{i % 3}"))];
        bench.Steps(60);
        int[] prompt = EngineBench.Prompt(40, seed: 1);

        TokenStream late = bench.Submit(prompt, 3);
        bench.Steps(80);

        Assert.Equal(HashModel.Greedy(prompt, 3), EngineBench.Read(late));
        int[] served = new int[3];
        for (int i = 0; i < streams.Length; i++)
        {
            int count = EngineBench.Read(streams[i]).Length;
            Assert.InRange(count, 30, 80);
            served[i % 3] += count;
        }
        Assert.InRange(served.Max() - served.Min(), 0, 8); // seven streams, seven and six: tenants are served alike
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_step_of_few_rows_still_serves_streams_and_prompts(int stepTokens)
    {
        await using EngineBench bench = new(new EngineOptions { StepTokens = stepTokens });
        int[] first = EngineBench.Prompt(5, seed: 1);
        int[] second = EngineBench.Prompt(30, seed: 2);

        TokenStream stream = bench.Submit(first, 60);
        bench.Steps(8);
        TokenStream prompt = bench.Submit(second, 10);

        Assert.Equal(HashModel.Greedy(second, 10), bench.Finish(prompt));
        Assert.Equal(HashModel.Greedy(first, 60), bench.Finish(stream));
    }
}
