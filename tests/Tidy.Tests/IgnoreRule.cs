namespace Concertina.Tidy.Tests;

/// <summary>One line of a .gitignore file, of the kinds this repository uses: <c>name/</c>, <c>/name/</c>, <c>name</c> and <c>*.end</c>.</summary>
/// <param name="Folder">Folder of the .gitignore file.</param>
/// <param name="Name">Name, or <c>*.end</c>.</param>
/// <param name="Anchored">True if the name counts only directly in <paramref name="Folder"/>.</param>
/// <param name="FoldersOnly">True if only folders are meant.</param>
internal sealed record IgnoreRule(string Folder, string Name, bool Anchored, bool FoldersOnly)
{
    public static IEnumerable<IgnoreRule> ReadFrom(string folder)
    {
        string file = Path.Combine(folder, ".gitignore");
        return File.Exists(file)
            ? File.ReadLines(file).Select(line => line.Trim()).Where(line => line.Length > 0 && line[0] != '#').Select(line => Parse(folder, line))
            : [];
    }

    public bool Ignores(string path, bool isFolder)
    {
        if (FoldersOnly && !isFolder)
        {
            return false;
        }
        string name = Path.GetFileName(path);
        bool matches = Name.StartsWith('*') ? name.EndsWith(Name[1..], StringComparison.Ordinal) : name == Name;
        return matches && (!Anchored || Path.GetDirectoryName(path) == Folder);
    }

    private static IgnoreRule Parse(string folder, string line)
    {
        string name = line.Trim('/');
        return name.Contains('/') || name.IndexOf('*', 1) > 0 || name.StartsWith('!')
            ? throw new NotSupportedException($"{folder}/.gitignore has the pattern '{line}', which IgnoreRule cannot read. Use name/, /name/, name or *.end, or extend IgnoreRule.")
            : new IgnoreRule(folder, name, line.StartsWith('/'), line.EndsWith('/'));
    }
}
