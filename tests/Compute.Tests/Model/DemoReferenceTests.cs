using System.Text.Json;
using Concertina.Compute.KvCache;
using Concertina.Compute.Model;
using Concertina.Compute.Model.Cpu;

namespace Concertina.Compute.Tests.Model;

/// <summary>The demo model against what another engine computed.</summary>
public sealed class DemoReferenceTests
{
    private const double RankGap = 1e-2;
    private const double GreedyGap = 1e-3;
    private const int LeastCompared = 180; // of 6 * 32

    private static readonly ReferencePrompt[] Prompts = ReadPrompts();

    [Fact]
    public void The_reference_has_what_these_tests_need()
    {
        Assert.Equal(6, Prompts.Length);
        Assert.Equal(2, Prompts.Count(prompt => prompt.FirstLogits is not null));
        Assert.All(Prompts, prompt => Assert.Equal(32, prompt.Greedy.Length));
    }

    [Fact]
    public void F16_ranks_and_continues_as_the_reference_wherever_it_leaves_a_gap()
    {
        using Harness harness = Open(DemoModel.F16);
        int compared = 0;
        foreach (ReferencePrompt prompt in Prompts)
        {
            PageTable table = harness.NewTable();
            float[] logits = Prefill(harness, table, prompt.Tokens);
            CheckRanks(prompt, logits);
            compared += CheckContinuation(harness, prompt, table, logits);
            harness.Cache.Release(table);
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"{compared} of {Prompts.Sum(prompt => prompt.Greedy.Length)} tokens left a gap");
        Assert.InRange(compared, LeastCompared, int.MaxValue);
    }

    [Theory]
    [InlineData("f16", 1e-4)]
    [InlineData("q8_0", 5e-3)]
    public void Mean_divergence_from_the_reference_is_small(string weights, double bound)
    {
        using Harness harness = Open(weights == "f16" ? DemoModel.F16 : DemoModel.Q8);
        double sum = 0;
        int count = 0;
        foreach (ReferencePrompt prompt in Prompts.Where(prompt => prompt.FirstLogits is not null))
        {
            float[][] logits = harness.Feed(prompt.Tokens.AsSpan(0, prompt.FirstLogits!.Length), 16);
            for (int position = 0; position < logits.Length; position++)
            {
                sum += Divergence(prompt.FirstLogits[position], logits[position]);
                count++;
            }
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"{weights}: mean KL {sum / count:E2} nats over {count} positions");
        Assert.InRange(sum / count, 0, bound);
    }

    private static void CheckRanks(ReferencePrompt prompt, float[] logits)
    {
        for (int rank = 0; rank + 1 < prompt.Top10.Length; rank++)
        {
            (int better, int worse) = ((int)prompt.Top10[rank][0], (int)prompt.Top10[rank + 1][0]);
            if (prompt.Top10[rank][1] - prompt.Top10[rank + 1][1] > RankGap)
            {
                Assert.True(logits[better] > logits[worse], $"{prompt.Name}: rank {rank}");
            }
            Assert.InRange(logits[better], prompt.Top10[rank][1] - 2e-2, prompt.Top10[rank][1] + 2e-2);
        }
        Assert.InRange(LogSumExp(logits), prompt.LogSumExp - 5e-3, prompt.LogSumExp + 5e-3);
    }

    /// <summary>Feeds the reference's tokens, so that one near tie does not end the comparison.</summary>
    /// <returns>Tokens compared: those that stand out of our logits by a gap. The others must be within the gap of our best.</returns>
    private static int CheckContinuation(Harness harness, ReferencePrompt prompt, PageTable table, float[] logits)
    {
        // The file has logits for the first token alone.
        Assert.True(prompt.Top10[0][1] - prompt.Top10[1][1] < GreedyGap || logits.IndexOf(logits.Max()) == prompt.Greedy[0], prompt.Name);
        int compared = 0;
        for (int i = 0; i < prompt.Greedy.Length; i++)
        {
            int[] best = BestTwo(logits);
            int expected = prompt.Greedy[i];
            Assert.True(logits[best[0]] - logits[expected] < GreedyGap, $"{prompt.Name}: token {i}");
            compared += logits[best[0]] - logits[best[1]] < GreedyGap ? 0 : 1;
            harness.Add(table, prompt.Tokens.Length + i, [expected], 1);
            logits = harness.Run()[0];
        }
        return compared;
    }

    private static Harness Open(string path)
    {
        using ModelFile file = ModelFile.Open(path);
        return new(file, new CpuRunnerOptions { MaxStepRows = 512, MaxLogitRows = 16, Threads = 2 });
    }

    private static float[] Prefill(Harness harness, PageTable table, int[] tokens)
    {
        const int Chunk = 512;
        float[][] logits = [];
        for (int start = 0; start < tokens.Length; start += Chunk)
        {
            int count = Math.Min(Chunk, tokens.Length - start);
            harness.Add(table, start, tokens.AsSpan(start, count), start + count == tokens.Length ? 1 : 0);
            logits = harness.Run();
        }
        return logits[0];
    }

    private static int[] BestTwo(float[] logits) =>
        [.. Enumerable.Range(0, logits.Length).OrderByDescending(token => logits[token]).Take(2)];

    private static double LogSumExp(float[] logits)
    {
        double max = logits.Max();
        return max + Math.Log(logits.Sum(logit => Math.Exp(logit - max)));
    }

    /// <summary>KL(reference || ours) in nats.</summary>
    private static double Divergence(double[] reference, float[] logits)
    {
        double ours = LogSumExp(logits);
        double max = reference.Max();
        double theirs = max + Math.Log(reference.Sum(logit => Math.Exp(logit - max)));
        return reference.Select((logit, token) => Math.Exp(logit - theirs) * (logit - theirs - (logits[token] - ours))).Sum();
    }

    private static ReferencePrompt[] ReadPrompts()
    {
        using FileStream stream = File.OpenRead(DemoModel.Reference);
        return JsonSerializer.Deserialize<ReferenceFile>(stream)!.Prompts;
    }
}
