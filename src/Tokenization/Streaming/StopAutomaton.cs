namespace Concertina.Tokenization;

/// <summary>Aho and Corasick's automaton over UTF-16 units: its state is the longest end of the text so far that begins a
/// stop string. Source: Aho, Corasick, "Efficient string matching", CACM 18(6), 1975. Read-only after construction.</summary>
internal sealed class StopAutomaton
{
    public const int Root = 0;

    private readonly Dictionary<(int State, char Unit), int> _edges = [];
    private readonly List<int> _fallback = [Root];
    private readonly List<int> _depth = [0];
    private readonly List<string?> _stop = [null];

    public StopAutomaton(IReadOnlyList<string> stops)
    {
        for (int i = 0; i < stops.Count; i++)
        {
            if (string.IsNullOrEmpty(stops[i]))
            {
                throw new ArgumentException($"Stop string {i} of {stops.Count} is empty; every text contains it.", nameof(stops));
            }

            Add(stops[i]);
        }

        LinkFallbacks();
    }

    /// <summary>Length of the text's end that could still become a stop string.</summary>
    public int Depth(int state) => _depth[state];

    /// <summary>The longest stop string that ends here, or null.</summary>
    public string? StopAt(int state) => _stop[state];

    public int Next(int state, char unit)
    {
        while (true)
        {
            if (_edges.TryGetValue((state, unit), out int next))
            {
                return next;
            }

            if (state == Root)
            {
                return Root;
            }

            state = _fallback[state];
        }
    }

    private void Add(string stop)
    {
        int state = Root;
        foreach (char unit in stop)
        {
            if (!_edges.TryGetValue((state, unit), out int next))
            {
                next = _depth.Count;
                _edges[(state, unit)] = next;
                _depth.Add(_depth[state] + 1);
                _fallback.Add(Root);
                _stop.Add(null);
            }

            state = next;
        }

        _stop[state] = stop;
    }

    private void LinkFallbacks()
    {
        // Shallow states first: a state's fallback is shallower than the state.
        foreach (((int parent, char unit), int state) in _edges.OrderBy(edge => _depth[edge.Value]))
        {
            _fallback[state] = parent == Root ? Root : Next(_fallback[parent], unit);
            _stop[state] ??= _stop[_fallback[state]];
        }
    }
}
