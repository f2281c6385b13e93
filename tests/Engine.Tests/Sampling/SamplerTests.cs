using Concertina.Compute.Engine;
using Concertina.Compute.Engine.Sampling;

namespace Concertina.Engine.Tests.Sampling;

public sealed class SamplerTests
{
    public static TheoryData<SamplingSpec> Filters =>
    [
        new SamplingSpec(1, 0, 1, 0, 1),
        new SamplingSpec(0.3f, 0, 1, 0, 2),
        new SamplingSpec(2.5f, 0, 1, 0, 3),
        new SamplingSpec(1, 5, 1, 0, 4),
        new SamplingSpec(1, 1000, 1, 0, 5),
        new SamplingSpec(1, 0, 0.8f, 0, 6),
        new SamplingSpec(1, 0, 0.999f, 0, 7),
        new SamplingSpec(1, 0, 0.01f, 0, 8),
        new SamplingSpec(1, 0, 1, 0.2f, 9),
        new SamplingSpec(1.5f, 20, 0.9f, 0.05f, 10),
        new SamplingSpec(1, 20, 0.9f, 1, 11),
        new SamplingSpec(0.7f, 3, 0.5f, 0, 12),
    ];

    [Theory]
    [MemberData(nameof(Filters))]
    public void Draws_equal_the_naive_definition(SamplingSpec how)
    {
        Random random = new(11);
        foreach (int vocabulary in new[] { 1, 2, 7, 100, 257, 1024 })
        {
            Sampler sampler = new(vocabulary);
            for (int round = 0; round < 40; round++)
            {
                // Few distinct values make ties; the definition breaks them by id.
                float[] logits = [.. Enumerable.Range(0, vocabulary).Select(_ => round % 2 == 0 ? (float)(random.NextDouble() * 12) - 6 : random.Next(5))];

                Assert.True(sampler.TryDraw(logits, how, round, out int token));

                Assert.Equal(NaiveSampler.Draw(logits, how, round), token);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Filters))]
    public void Frequencies_follow_the_distribution(SamplingSpec how)
    {
        const int Draws = 20_000;
        Random random = new(5);
        float[] logits = [.. Enumerable.Range(0, 12).Select(_ => (float)(random.NextDouble() * 4))];
        Sampler sampler = new(logits.Length);
        int[] counts = new int[logits.Length];

        for (int position = 0; position < Draws; position++)
        {
            Assert.True(sampler.TryDraw(logits, how, position, out int token));
            counts[token]++;
        }

        SortedDictionary<int, double> expected = NaiveSampler.Distribution(logits, how);
        double chiSquare = 0;
        for (int id = 0; id < counts.Length; id++)
        {
            double mean = Draws * expected.GetValueOrDefault(id);
            Assert.True(mean > 0 || counts[id] == 0, $"Token {id} was filtered out and drawn {counts[id]} times.");
            chiSquare += mean > 0 ? (counts[id] - mean) * (counts[id] - mean) / mean : 0;
        }
        Assert.True(chiSquare < 37, $"Chi-square {chiSquare} with at most 11 degrees of freedom; 37 is passed once in 10,000 seeds.");
    }

    [Fact]
    public void Greedy_is_the_most_likely_token_equals_top_k_1_and_ties_go_to_the_lower_id()
    {
        Random random = new(3);
        Sampler sampler = new(500);
        for (int round = 0; round < 200; round++)
        {
            float[] logits = [.. Enumerable.Range(0, 500).Select(_ => (float)random.Next(20))];

            Assert.True(sampler.TryDraw(logits, SamplingSpec.Greedy, round, out int greedy));
            Assert.True(sampler.TryDraw(logits, new SamplingSpec(1, 1, 1, 0, round), round, out int first));

            Assert.Equal(Array.IndexOf(logits, logits.Max()), greedy);
            Assert.Equal(greedy, first);
        }
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void Any_logit_that_is_not_finite_is_found_wherever_it_stands(float bad)
    {
        for (int vocabulary = 1; vocabulary < 70; vocabulary++)
        {
            Sampler sampler = new(vocabulary);
            for (int at = 0; at < vocabulary; at++)
            {
                float[] logits = new float[vocabulary];
                logits[at] = bad;

                Assert.False(sampler.TryDraw(logits, SamplingSpec.Greedy, 0, out _));
            }
        }
    }

    [Fact]
    public void Extreme_logits_and_temperatures_stay_well_defined()
    {
        float[] logits = [float.MaxValue, float.MinValue, 0, -0f];
        Sampler sampler = new(logits.Length);
        foreach (float temperature in new[] { float.Epsilon, 1e-30f, 1, 1e30f })
        {
            Assert.True(sampler.TryDraw(logits, new SamplingSpec(temperature, 0, 0.9f, 0, 1), 1, out int token));
            Assert.Equal(0, token);
        }
    }

    [Fact]
    public void A_large_vocabulary_is_drawn_as_the_definition_says()
    {
        Random random = new(8);
        float[] logits = [.. Enumerable.Range(0, 150_000).Select(_ => (float)(random.NextDouble() * 20))];
        Sampler sampler = new(logits.Length);
        SamplingSpec how = new(0.8f, 0, 0.9f, 0, 42);
        int[] tokens = new int[3];

        for (int position = 0; position < tokens.Length; position++)
        {
            Assert.True(sampler.TryDraw(logits, how, position, out tokens[position]));
        }

        Assert.Equal([.. Enumerable.Range(0, tokens.Length).Select(position => NaiveSampler.Draw(logits, how, position))], tokens);
    }
}
