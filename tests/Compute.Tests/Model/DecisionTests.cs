using Concertina.Compute.Kernels;
using Concertina.Compute.KvCache;
using Concertina.Compute.Model;
using Concertina.Compute.Model.Cpu;
using Concertina.Compute.Model.Weights;
using Concertina.Compute.Tests.Kernels;

namespace Concertina.Compute.Tests.Model;

/// <summary>What a retrofitted model's neurons do: they decide, and take no part in attention.</summary>
public sealed class DecisionTests
{
    private const int Length = 70; // beyond one page

    [Theory]
    [InlineData("1 head, dms")]
    [InlineData("group 3, dms")]
    [InlineData("group 4, dms")]
    [InlineData("odd widths, dms")]
    public void Only_the_neurons_of_the_rotated_queries_are_exactly_zero(string shape)
    {
        using RandomModel model = RandomModel.Create(TinyShapes.Find(shape), TensorType.F32, seed: 11);
        using Harness harness = new(model);
        KvRows rows = LastRows(harness, Tokens(model.Config, Length));
        ModelConfig config = model.Config;
        int queries = config.QueryHeadCount * config.HeadDim;
        for (int i = 0; i < rows.Queries.Length; i++)
        {
            int channel = i % queries;
            bool decides = channel % (config.GroupSize * config.HeadDim) == config.KvMethod!.Neuron;
            Assert.True(decides == (rows.Queries[i] == 0), $"row {i / queries}, channel {channel} is {rows.Queries[i]}");
        }
    }

    [Theory]
    [InlineData("1 head, dms")]
    [InlineData("group 4, dms")]
    [InlineData("odd widths, dms")]
    public void Logits_of_decisions_agree_with_a_plain_binary64_transformer(string shape)
    {
        using RandomModel model = RandomModel.Create(TinyShapes.Find(shape), TensorType.F32, seed: 12);
        using Harness harness = new(model);
        int[] tokens = Tokens(model.Config, Length);
        KvRows rows = LastRows(harness, tokens);
        PlainTransformer plain = new(model);
        plain.Logits(tokens);
        int kvHeads = model.Config.KvHeadCount;
        Assert.Equal(Length * kvHeads, rows.Decisions.Length);
        int marked = 0;
        for (int i = 0; i < rows.Decisions.Length; i++)
        {
            double expected = plain.Decisions[i / kvHeads][i % kvHeads];
            Assert.InRange(rows.Decisions[i], expected - 2e-3, expected + 2e-3);
            marked += rows.Decisions[i] > 0 ? 1 : 0;
        }
        Assert.InRange(marked, 1, rows.Decisions.Length - 1); // neither all nor none, so that signs are compared too
    }

    [Fact]
    public void A_model_whose_neurons_and_their_pairs_are_zero_computes_what_it_would_without_the_method()
    {
        ModelConfig config = TinyShapes.Find("group 4, dms");
        using RandomModel random = RandomModel.Create(config, TensorType.F32, seed: 13);
        // RoPE moves a channel's pair into its place: only if both are zero, removal changes nothing.
        int[] rows = [.. Enumerable.Range(0, config.KvHeadCount).SelectMany(PairOf)];
        using EditedModel with = new(random, config, rows);
        using EditedModel without = new(random, config with { KvMethod = null }, rows);
        using EditedModel unedited = new(random, config with { KvMethod = null });
        int[] tokens = Tokens(config, Length);
        float[] expected = Logits(without, tokens);
        Assert.Equal(expected, Logits(with, tokens));
        Assert.NotEqual(expected, Logits(unedited, tokens));

        int[] PairOf(int head)
        {
            int neuron = (head * config.GroupSize * config.HeadDim) + config.KvMethod!.Neuron;
            return [neuron, neuron ^ 1];
        }
    }

    [Theory]
    [InlineData(TensorType.F32)]
    [InlineData(TensorType.F16)]
    [InlineData(TensorType.Q80)]
    public void Decisions_obey_the_row_law(TensorType type)
    {
        using RandomModel model = RandomModel.Create(TinyShapes.Find("group 3, dms"), type, seed: 14);
        int[] tokens = Tokens(model.Config, Length);
        int[] expected = Decisions(model, tokens, 1, new CpuRunnerOptions { MaxStepRows = 256, MaxLogitRows = 1, Threads = 1 });
        foreach (KernelPath path in Enum.GetValues<KernelPath>().Where(KernelPaths.IsSupported))
        {
            foreach (int threads in (int[])[1, 3])
            {
                CpuRunnerOptions options = new() { MaxStepRows = 256, MaxLogitRows = 1, Threads = threads, Path = path };
                foreach (int chunk in (int[])[Length, 7, 2])
                {
                    int[] actual = Decisions(model, tokens, chunk, options);
                    Assert.True(expected.AsSpan().SequenceEqual(actual), $"{path}, {threads} threads, chunks of {chunk}");
                }
            }
        }
    }

    [Fact]
    public void A_model_that_is_not_retrofitted_offers_no_decisions()
    {
        using RandomModel model = RandomModel.Create(TinyShapes.Find("group 4"), TensorType.F32, seed: 15);
        using Harness harness = new(model);
        Assert.True(LastRows(harness, Tokens(model.Config, 5)).Decisions.IsEmpty);
    }

    private static KvRows LastRows(Harness harness, int[] tokens)
    {
        PageTable table = harness.NewTable();
        harness.Add(table, 0, tokens, 1);
        harness.Runner.Forward(harness.Batch);
        return harness.Runner.LastRowsOf(harness.Batch.Spans[0]);
    }

    private static int[] Decisions(ModelSource model, int[] tokens, int chunk, CpuRunnerOptions options)
    {
        using Harness harness = new(model, options);
        PageTable table = harness.NewTable();
        List<int> decisions = [];
        for (int position = 0; position < tokens.Length; position += chunk)
        {
            int count = Math.Min(chunk, tokens.Length - position);
            harness.Add(table, position, tokens.AsSpan(position, count), 1);
            StepSpan span = harness.Batch.Spans[0];
            harness.Run();
            decisions.AddRange(TensorFactory.Bits(harness.Runner.LastRowsOf(span).Decisions.ToArray()));
        }
        return [.. decisions];
    }

    private static float[] Logits(ModelSource model, int[] tokens)
    {
        using Harness harness = new(model);
        return [.. harness.Feed(tokens, 13).SelectMany(row => row)];
    }

    private static int[] Tokens(ModelConfig config, int count)
    {
        Random random = new(16);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(config.VocabularySize))];
    }
}
