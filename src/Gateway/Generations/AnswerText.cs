using System.Text;
using Concertina.Tokenization;

namespace Concertina.Gateway.Generations;

/// <summary>
/// Token ids of one answer into text that may be shown: no half character, no part of a stop string, no text of the token
/// that ended it. It remembers where each token's text ends, so that a stop match knows which tokens stay.
/// </summary>
internal sealed class AnswerText(IncrementalDecoder decoder, StopMatcher matcher, IEnumerable<int> stopTokens)
{
    private readonly HashSet<int> _stopTokens = [.. stopTokens];
    private readonly List<int> _endOfToken = [];
    private readonly StringBuilder _ready = new();
    private int _decodedChars;
    private int _shownChars;

    /// <summary>Tokens taken so far, up to a stop match.</summary>
    public int TokensRead => _endOfToken.Count;

    /// <summary>The stop string that matched; null: none.</summary>
    public string? StopMatched => matcher.Stop;

    /// <summary>Tokens whose whole text has been shown; those beyond are no part of the answer.</summary>
    public int KeepTokens => _endOfToken.FindIndex(end => end > _shownChars) is >= 0 and int first ? first : _endOfToken.Count;

    /// <summary>Takes tokens up to a stop match.</summary>
    /// <returns>Text that may be shown now, often empty.</returns>
    public string Append(ReadOnlySpan<int> tokens)
    {
        _ready.Clear();
        foreach (int token in tokens)
        {
            if (!_stopTokens.Contains(token))
            {
                Match(decoder.Append(token));
            }
            _endOfToken.Add(_decodedChars);
            if (matcher.Stop is not null)
            {
                break;
            }
        }
        return _ready.ToString();
    }

    /// <summary>The answer is over: what was held back is shown.</summary>
    public string Flush()
    {
        _ready.Clear();
        Match(decoder.Flush());
        if (matcher.Stop is null)
        {
            _ready.Append(matcher.Flush());
        }
        return _ready.ToString();
    }

    private void Match(ReadOnlySpan<char> text)
    {
        _decodedChars += text.Length;
        StopResult result = matcher.Append(text);
        _ready.Append(result.Text);
        _shownChars += result.Text.Length;
    }
}
