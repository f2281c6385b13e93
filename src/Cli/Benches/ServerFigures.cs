using System.Globalization;

namespace Concertina.Cli.Benches;

/// <summary>Memory of a running server, from its Prometheus text or its process.</summary>
/// <param name="ResidentBytes">Resident memory; null: not known.</param>
/// <param name="KvBytes">KV bytes in use; null: not known.</param>
/// <param name="WeightBytes">Bytes of the weights; null: not known.</param>
internal readonly record struct ServerFigures(long? ResidentBytes, long? KvBytes, long? WeightBytes)
{
    public static ServerFigures Read(string? metrics, int? pid) => new(
        pid is { } process ? Resident(process) : Value(metrics, "process_resident_memory_bytes"),
        Value(metrics, "kv_cache_memory_usage_bytes"),
        Value(metrics, "engine_weights_size_bytes"));

    /// <summary>Resident memory of a process on this machine, in bytes; null where the system does not tell.</summary>
    public static long? Resident(int pid)
    {
        string file = $"/proc/{pid}/status";
        string? line = File.Exists(file) ? File.ReadLines(file).FirstOrDefault(text => text.StartsWith("VmRSS:", StringComparison.Ordinal)) : null;
        return line?.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, { } kibibytes, ..]
            ? long.Parse(kibibytes, CultureInfo.InvariantCulture) << 10
            : null;
    }

    /// <summary>Sum of all samples of one metric.</summary>
    private static long? Value(string? metrics, string name)
    {
        double[] values = [.. (metrics ?? "").Split('\n')
            .Where(line => line.StartsWith(name, StringComparison.Ordinal) && line.Length > name.Length && line[name.Length] is ' ' or '{')
            .Select(line => double.Parse(line.TrimEnd().Split(' ')[^1], CultureInfo.InvariantCulture))];
        return values.Length == 0 ? null : (long)values.Sum();
    }
}
