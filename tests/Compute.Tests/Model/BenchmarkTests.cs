using Concertina.Compute.Bench;
using Concertina.Compute.Model;
using Concertina.Compute.Model.Weights;

namespace Concertina.Compute.Tests.Model;

public sealed class BenchmarkTests
{
    [Fact]
    public void Decode_reports_what_it_ran()
    {
        using RandomModel model = RandomModel.Create(TinyShapes.Find("group 4"), TensorType.Q80, seed: 1);
        BenchmarkResult result = DecodeBenchmark.Run(model, new() { Depth = 100, Batch = 3, Tokens = 5, Threads = 1 }, TimeProvider.System);
        Assert.True(result.TokensPerSecond > 0 && result.ItlP99Ms >= result.ItlP50Ms && result.ItlP50Ms > 0);
        Assert.Null(result.TtftP50Ms);
        Assert.True(result.KvBytes > 0 && result.WeightBytes > 0 && result.ScratchBytes > 0);
    }

    [Fact]
    public void Prefill_reports_what_it_ran()
    {
        using RandomModel model = RandomModel.Create(TinyShapes.Find("group 4"), TensorType.Q80, seed: 1);
        BenchmarkResult result = PrefillBenchmark.Run(model, new() { Batch = 2, Tokens = 70, ChunkTokens = 32, Threads = 1 }, TimeProvider.System);
        Assert.True(result.TokensPerSecond > 0 && result.TtftP99Ms >= result.TtftP50Ms && result.TtftP50Ms > 0);
        Assert.Null(result.ItlP50Ms);
    }

    [Fact]
    public void Named_shapes_are_the_published_ones()
    {
        Assert.Equal(134_515_008, Parameters("135m"));
        Assert.Equal(1_235_814_400, Parameters("1b"));
        ArgumentException refusal = Assert.Throws<ArgumentException>(() => ModelShapes.Find("7b"));
        Assert.Contains("135m, 1b", refusal.Message, StringComparison.Ordinal);
    }

    private static long Parameters(string shape)
    {
        using RandomModel model = RandomModel.Create(shape, TensorType.Q80, seed: 1);
        return model.ParameterCount;
    }
}
