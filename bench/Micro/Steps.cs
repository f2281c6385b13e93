using System.Globalization;
using Concertina.Compute.Bench;
using Concertina.Compute.Model;
using Concertina.Compute.Model.Weights;

namespace Concertina.Micro;

/// <summary>Whole steps of a model file or a random model.</summary>
internal static class Steps
{
    public static void Run(string[] args)
    {
        int[] numbers = [.. args[2..].Select(text => int.Parse(text, CultureInfo.InvariantCulture))];
        using ModelSource source = File.Exists(args[0]) ? ModelFile.Open(args[0]) : RandomModel.Create(args[0], TensorType.Q80, 1);
        BenchmarkSettings settings = new() { Depth = numbers[0], Batch = numbers[1], Tokens = numbers[2], Threads = numbers[3] };
        BenchmarkResult result = args[1] == "decode"
            ? DecodeBenchmark.Run(source, settings, TimeProvider.System)
            : PrefillBenchmark.Run(source, settings, TimeProvider.System);
        Console.Out.WriteLine($"{string.Join(' ', args)}: {result.TokensPerSecond:F1} tok/s, {result.TokensPerCpuSecond:F1} tok/cpu-s, itl p50 {result.ItlP50Ms:F2} ms p99 {result.ItlP99Ms:F2} ms, ttft {result.TtftP50Ms:F1} ms, kv {result.KvBytes >> 20} MiB, weights {result.WeightBytes >> 20} MiB");
    }
}
