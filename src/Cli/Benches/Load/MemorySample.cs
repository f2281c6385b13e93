using System.Globalization;

namespace Concertina.Cli.Benches.Load;

/// <summary>The server at one moment, from its metrics.</summary>
/// <param name="Seconds">Seconds from the start of the run.</param>
/// <param name="UsedBytes">KV bytes in use, caches of prefixes nobody refers to among them.</param>
/// <param name="FreeableBytes">Of those, prefix columns that nobody refers to.</param>
/// <param name="BudgetBytes">KV budget.</param>
/// <param name="Running">Sequences that run.</param>
/// <param name="Queued">Requests that wait.</param>
/// <param name="RungBytes">Bytes of units in the form of each rung.</param>
internal sealed record MemorySample(
    double Seconds, double UsedBytes, double FreeableBytes, double BudgetBytes, double Running, double Queued, IReadOnlyDictionary<string, double> RungBytes)
{
    private const string ByRung = "kv_cache_memory_usage_by_rung_bytes";
    private const string RungLabel = "rung=\"";

    /// <summary>Reads the Prometheus text.</summary>
    public static MemorySample Read(string? metrics, double seconds) => new(
        Math.Round(seconds, 2), Sum(metrics, "kv_cache_memory_usage_bytes"), Sum(metrics, "kv_cache_prefix_unreferenced_memory_bytes"),
        Sum(metrics, "kv_cache_memory_limit_bytes"), Sum(metrics, "vllm:num_requests_running"), Sum(metrics, "vllm:num_requests_waiting"),
        Lines(metrics, ByRung).GroupBy(Rung).ToDictionary(group => group.Key, group => group.Sum(Value)));

    /// <summary>Sum over all label sets of a metric; 0 where there is none.</summary>
    public static double Sum(string? metrics, string name) => Lines(metrics, name).Sum(Value);

    private static IEnumerable<string> Lines(string? metrics, string name) => (metrics ?? "").Split('\n')
        .Where(line => line.StartsWith(name, StringComparison.Ordinal) && line.Length > name.Length && line[name.Length] is ' ' or '{');

    private static double Value(string line) => double.Parse(line.TrimEnd().Split(' ')[^1], CultureInfo.InvariantCulture);

    private static string Rung(string line)
    {
        int start = line.IndexOf(RungLabel, StringComparison.Ordinal);
        return start < 0 ? "" : line[(start + RungLabel.Length)..line.IndexOf('"', start + RungLabel.Length)];
    }
}
