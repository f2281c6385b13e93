namespace Concertina.Tidy.Tests;

/// <summary>The files of the repository, as paths relative to its root with forward slashes; what .gitignore names is left out.</summary>
internal static class Repository
{
    /// <summary>The folder that holds the solution file.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>Every file.</summary>
    public static IReadOnlyList<string> Files { get; } = [.. Walk(Root, []).Order(StringComparer.Ordinal)];

    /// <summary>Hand-written C# under one of the given top folders.</summary>
    public static IEnumerable<string> CSharpFiles(params string[] topFolders) =>
        Files.Where(file => file.EndsWith(".cs", StringComparison.Ordinal)
            && topFolders.Any(folder => file.StartsWith(folder + "/", StringComparison.Ordinal)));

    /// <summary>Files that hold text: no NUL among their first 8,000 bytes.</summary>
    public static IEnumerable<string> TextFiles() => Files.Where(file => !IsBinary(file));

    public static string Read(string file) => File.ReadAllText(FullPath(file));

    public static string[] Lines(string file) => File.ReadAllLines(FullPath(file));

    public static string FullPath(string file) => Path.Combine(Root, file);

    public static bool IsBinary(string file)
    {
        using FileStream stream = File.OpenRead(FullPath(file));
        Span<byte> head = stackalloc byte[8_000];
        int read = stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
        return head[..read].Contains((byte)0);
    }

    private static string FindRoot()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Concertina.slnx")))
        {
            folder = folder.Parent;
        }
        return folder?.FullName ?? throw new InvalidOperationException(
            $"No Concertina.slnx above {AppContext.BaseDirectory}; the tidy tests run from the repository's build output.");
    }

    private static IEnumerable<string> Walk(string folder, IReadOnlyList<IgnoreRule> inherited)
    {
        List<IgnoreRule> rules = [.. inherited, .. IgnoreRule.ReadFrom(folder)];
        foreach (FileSystemInfo entry in new DirectoryInfo(folder).EnumerateFileSystemInfos())
        {
            bool isFolder = entry is DirectoryInfo;
            if (entry.Name == ".git" || entry.LinkTarget is not null || rules.Any(rule => rule.Ignores(entry.FullName, isFolder)))
            {
                continue;
            }
            if (!isFolder)
            {
                yield return Path.GetRelativePath(Root, entry.FullName).Replace('\\', '/');
                continue;
            }
            foreach (string file in Walk(entry.FullName, rules))
            {
                yield return file;
            }
        }
    }
}
