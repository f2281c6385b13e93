using System.Globalization;

namespace Concertina.Silo.Memory;

/// <summary>Memory that this container or machine has left, read from the files of the Linux kernel.</summary>
public static class MachineMemory
{
    private static readonly (string Limit, string Usage, string Reclaimable)[] Names =
    [
        ("memory.max", "memory.current", "inactive_file"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ];

    // Version 1 writes "no limit" as the largest number of whole pages.
    private const long UnlimitedBytes = 1L << 60;

    /// <summary>
    /// Bytes that can still be allocated before the limit of the container (any of its control groups, version 2 or 1) or
    /// the machine's memory is reached. File pages that the kernel can drop count as free.
    /// </summary>
    /// <param name="root">Root of the file system; another one in tests.</param>
    public static long AvailableBytes(string root = "/")
    {
        long machine = Field(Path.Combine(root, "proc/meminfo"), "MemAvailable:") is { } kibibytes
            ? kibibytes << 10
            : GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        return Groups(root).Select(Left).OfType<long>().Append(machine).Min();
    }

    /// <summary>The tightest memory limit of this process's control groups, version 2 or 1, in bytes; null: none is set.</summary>
    /// <param name="root">Root of the file system; another one in tests.</param>
    public static long? LimitBytes(string root = "/") => Groups(root)
        .Select(group => Names.Select(names => Number(Path.Combine(group, names.Limit))).FirstOrDefault(limit => limit is not null))
        .Where(limit => limit < UnlimitedBytes)
        .Min();

    /// <summary>Folders of this process's control groups, from its own up to the root of the hierarchy.</summary>
    private static IEnumerable<string> Groups(string root)
    {
        string list = Path.Combine(root, "proc/self/cgroup");
        foreach (string line in File.Exists(list) ? File.ReadLines(list) : [])
        {
            // "0::/path" is version 2, "4:memory:/path" version 1.
            string[] parts = line.Split(':', 3);
            if (parts.Length < 3 || (parts[1].Length > 0 && !parts[1].Split(',').Contains("memory")))
            {
                continue;
            }
            string mount = Path.Combine(root, "sys/fs/cgroup", parts[1].Length > 0 ? "memory" : "");
            string path = parts[2].Trim('/');
            while (true)
            {
                yield return Path.Combine(mount, path);
                if (path.Length == 0)
                {
                    break;
                }
                path = path[..Math.Max(0, path.LastIndexOf('/'))];
            }
        }
    }

    private static long? Left(string group)
    {
        foreach ((string limitName, string usageName, string reclaimable) in Names)
        {
            if (Number(Path.Combine(group, limitName)) is { } limit && Number(Path.Combine(group, usageName)) is { } usage)
            {
                long droppable = Field(Path.Combine(group, "memory.stat"), reclaimable) ?? 0;
                return Math.Max(0, limit - Math.Max(0, usage - droppable));
            }
        }
        return null;
    }

    // "max" is no number: no limit.
    private static long? Number(string file) =>
        File.Exists(file) && long.TryParse(File.ReadAllText(file).AsSpan().Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out long number)
            ? number
            : null;

    private static long? Field(string file, string name)
    {
        foreach (string line in File.Exists(file) ? File.ReadLines(file) : [])
        {
            string[] parts = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (parts.Length >= 2 && parts[0] == name && long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out long value))
            {
                return value;
            }
        }
        return null;
    }
}
