using System.Buffers;

namespace Concertina.Tokenization;

/// <summary>Finds the tokens that are taken whole: control tokens by name and user-defined texts. At each place the longest
/// admissible name wins, from left to right. <see cref="TokenRoles"/> says which are admissible everywhere.</summary>
internal sealed class SpecialTokens
{
    private readonly Dictionary<string, Special> _byText = new(StringComparer.Ordinal);
    private readonly Dictionary<char, int[]> _lengthsByFirst = [];
    private readonly SearchValues<char> _firsts;

    /// <param name="spec">A description with resolved types.</param>
    public SpecialTokens(TokenizerSpec spec)
    {
        Dictionary<char, SortedSet<int>> lengths = [];
        for (int id = 0; id < spec.Tokens.Count; id++)
        {
            string text = spec.Tokens[id];
            if (text.Length == 0 || spec.Types[id] is not (TokenKind.UserDefined or TokenKind.Control or TokenKind.Unknown))
            {
                continue;
            }

            // Between two tokens of one text, the first counts.
            _byText.TryAdd(text, new Special(id, !TokenRoles.NeedsTrust(spec, id)));
            if (!lengths.TryGetValue(text[0], out SortedSet<int>? ofFirst))
            {
                lengths[text[0]] = ofFirst = [];
            }

            ofFirst.Add(text.Length);
        }

        foreach ((char first, SortedSet<int> ofFirst) in lengths)
        {
            _lengthsByFirst[first] = [.. ofFirst.Reverse()];
        }

        _firsts = SearchValues.Create([.. lengths.Keys]);
    }

    /// <summary>Finds the next admissible token.</summary>
    /// <param name="text">All of the text.</param>
    /// <param name="from">Where to start looking.</param>
    /// <param name="trust">Where control names count.</param>
    /// <param name="match">The match, if true is returned.</param>
    public bool TryFindNext(ReadOnlySpan<char> text, int from, ControlTrust trust, out SpecialMatch match)
    {
        Dictionary<string, Special>.AlternateLookup<ReadOnlySpan<char>> byText =
            _byText.GetAlternateLookup<ReadOnlySpan<char>>();
        while (from < text.Length)
        {
            int skip = text[from..].IndexOfAny(_firsts);
            if (skip < 0)
            {
                break;
            }

            from += skip;
            foreach (int length in _lengthsByFirst[text[from]])
            {
                if (length <= text.Length - from
                    && byText.TryGetValue(text.Slice(from, length), out Special special)
                    && (special.IsLiteral || trust.Covers(from, length)))
                {
                    match = new SpecialMatch(from, length, special.Id);
                    return true;
                }
            }

            from++;
        }

        match = default;
        return false;
    }

    private readonly record struct Special(int Id, bool IsLiteral);
}

/// <summary>A token found in a text.</summary>
internal readonly record struct SpecialMatch(int Start, int Length, int Id);

/// <summary>Where names of control tokens count: everywhere, nowhere, or in some segments of a rendered chat.</summary>
internal readonly struct ControlTrust
{
    private readonly bool _everywhere;
    private readonly IReadOnlyList<ChatSegment>? _segments;

    private ControlTrust(bool everywhere, IReadOnlyList<ChatSegment>? segments)
    {
        _everywhere = everywhere;
        _segments = segments;
    }

    public static ControlTrust Everywhere => new(true, null);

    public static ControlTrust Nowhere => default;

    public static ControlTrust TemplateOf(RenderedChat chat) => new(false, chat.Segments);

    /// <summary>Whether all of the stretch may be a control token. Neighbouring segments of one origin are always joined,
    /// so the stretch lies in one segment or is not trusted.</summary>
    public bool Covers(int start, int length)
    {
        if (_everywhere || _segments is null)
        {
            return _everywhere;
        }

        int low = 0;
        int high = _segments.Count - 1;
        while (low < high)
        {
            int middle = (low + high + 1) / 2;
            (low, high) = _segments[middle].Start <= start ? (middle, high) : (low, middle - 1);
        }

        ChatSegment segment = _segments[low];
        return segment.FromTemplate && start + length <= segment.Start + segment.Length;
    }
}
