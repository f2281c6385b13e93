namespace Concertina.Tidy.Tests;

/// <summary>A list of exceptions, one a line as <c>what | reason</c>; <c>#</c> begins a comment. Every entry needs a reason and a use.</summary>
internal sealed class ReasonedList
{
    private readonly string _file;
    private readonly Dictionary<string, string> _reasons = new(StringComparer.Ordinal);
    private readonly HashSet<string> _used = new(StringComparer.Ordinal);

    /// <param name="name">File in the folder <c>lists</c> of this project.</param>
    public ReasonedList(string name)
    {
        _file = $"tests/Tidy.Tests/lists/{name}";
        foreach (string line in Repository.Lines(_file).Where(line => line.Length > 0 && line[0] != '#'))
        {
            string[] parts = line.Split(" | ", 2, StringSplitOptions.TrimEntries);
            Assert.True(parts.Length == 2 && parts[1].Length > 0, $"{_file}: '{line}' is not of the form 'what | reason'.");
            Assert.True(_reasons.TryAdd(parts[0], parts[1]), $"{_file}: '{parts[0]}' is listed twice.");
        }
    }

    public int Count => _reasons.Count;

    /// <summary>True if the list has an entry for <paramref name="what"/>; the entry then counts as used.</summary>
    public bool Excuses(string what)
    {
        _used.Add(what);
        return _reasons.ContainsKey(what);
    }

    /// <summary>Fails if an entry was not used: the list may only hold what is still needed.</summary>
    public void AssertAllUsed() =>
        Findings.None(_reasons.Keys.Where(what => !_used.Contains(what)), $"Remove these lines from {_file}: nothing needs them any more.");
}
