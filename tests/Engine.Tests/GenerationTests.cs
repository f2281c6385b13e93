using Concertina.Compute.Engine;
using Concertina.Engine.Tests.Kit;

namespace Concertina.Engine.Tests;

public sealed class GenerationTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(500)]
    public async Task Tokens_are_those_of_the_model_for_any_prompt_length(int promptTokens)
    {
        await using EngineBench bench = new(new EngineOptions { StepTokens = 48 });
        int[] prompt = EngineBench.Prompt(promptTokens, seed: promptTokens);

        TokenStream stream = bench.Submit(prompt, maxNewTokens: 70);
        int[] tokens = bench.Finish(stream);

        Assert.Equal(HashModel.Greedy(prompt, 70), tokens);
        Assert.Equal((FinishKind.Length, 70), (stream.End!.Kind, stream.End.GeneratedTokens));
    }

    [Fact]
    public async Task A_huge_limit_is_capped_at_the_context_and_ends_with_length()
    {
        await using EngineBench bench = new();
        int[] prompt = EngineBench.Prompt(600, seed: 1);

        TokenStream stream = bench.Submit(prompt, maxNewTokens: int.MaxValue);
        int[] tokens = bench.Finish(stream);

        Assert.Equal(FinishKind.Length, stream.End!.Kind);
        Assert.Equal(HashModel.Greedy(prompt, HashModel.ContextLength - 600), tokens);
    }

    [Fact]
    public async Task Without_a_limit_it_runs_to_the_contexts_end()
    {
        await using EngineBench bench = new(new EngineOptions { DefaultNewTokens = 10 });
        int[] prompt = EngineBench.Prompt(20, seed: 2);

        TokenStream stream = bench.Submit(prompt, maxNewTokens: null);
        int[] tokens = bench.Finish(stream);

        Assert.Equal(FinishKind.Length, stream.End!.Kind);
        Assert.Equal(HashModel.Greedy(prompt, HashModel.ContextLength - 20), tokens);
    }

    [Fact]
    public async Task A_stop_token_ends_it_is_counted_and_kept_but_not_delivered()
    {
        await using EngineBench bench = new();
        int[] prompt = EngineBench.Prompt(30, seed: 3);
        int[] all = HashModel.Greedy(prompt, 40);
        int stop = all[^1];
        int at = Array.IndexOf(all, stop);
        SequenceHandle handle = bench.Open();

        TokenStream stream = EngineBench.Submit(handle, bench.Spec(prompt, 100) with { StopTokens = new[] { stop } });
        int[] tokens = bench.Finish(stream);

        Assert.Equal(all[..at], tokens);
        Assert.Equal((FinishKind.Stop, (int?)stop, at + 1), (stream.End!.Kind, stream.End.StopToken, stream.End.GeneratedTokens));
        Assert.Equal([.. prompt, .. all[..(at + 1)]], handle.CopyTokens());
    }

    [Fact]
    public async Task A_seeded_request_gives_the_same_tokens_alone_and_in_any_batch()
    {
        int[] prompt = EngineBench.Prompt(100, seed: 4);
        SamplingSpec sampling = new(Temperature: 1.3f, TopK: 40, TopP: 0.95f, MinP: 0.01f, Seed: 77);
        int[] alone;
        await using (EngineBench bench = new())
        {
            alone = bench.Finish(EngineBench.Submit(bench.Open(), bench.Spec(prompt, 60) with { Sampling = sampling }));
        }
        await using EngineBench busy = new(new EngineOptions { StepTokens = 17 });
        List<TokenStream> others = [.. Enumerable.Range(0, 7).Select(i => busy.Submit(EngineBench.Prompt(33 * (i + 1), seed: 90 + i), 50))];

        TokenStream stream = EngineBench.Submit(busy.Open(), busy.Spec(prompt, 60) with { Sampling = sampling });
        int[] together = busy.Finish(stream);

        Assert.Equal(alone, together);
        Assert.NotEqual(HashModel.Greedy(prompt, 60), together);
        foreach (TokenStream other in others)
        {
            busy.Finish(other);
        }
    }
}
