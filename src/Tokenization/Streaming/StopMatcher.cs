namespace Concertina.Tokenization;

/// <summary>Finds stop strings in a stream of text, however it is cut into pieces, without showing any part of one. It holds
/// back exactly the longest end of the text that could still become a stop string. The stop string that is complete first
/// wins; of several that end at the same place, the longest. Not for use by several threads at once.</summary>
public sealed class StopMatcher
{
    private readonly StopAutomaton _automaton;
    private readonly bool _includeStop;
    private char[] _buffer = new char[64];
    private int _length;
    private int _held;
    private int _state;

    /// <summary>A matcher at the start of a stream.</summary>
    /// <param name="stops">Stop strings, none of them empty; no strings means that nothing is ever held back.</param>
    /// <param name="includeStop">Whether the stop string that is found is shown.</param>
    /// <exception cref="ArgumentException">A stop string is empty.</exception>
    public StopMatcher(IReadOnlyList<string> stops, bool includeStop)
    {
        ArgumentNullException.ThrowIfNull(stops);
        _automaton = new StopAutomaton(stops);
        _includeStop = includeStop;
    }

    /// <summary>The stop string that ended the stream, or null.</summary>
    public string? Stop { get; private set; }

    /// <summary>Takes the next piece of text. After a stop string was found, text is swallowed.</summary>
    public StopResult Append(ReadOnlySpan<char> text)
    {
        if (Stop is not null)
        {
            return new StopResult([], Stop);
        }

        // What was held back goes to the front; what was shown before is no longer needed.
        _buffer.AsSpan(_length - _held, _held).CopyTo(_buffer);
        _length = _held + text.Length;
        Reserve(_length);
        text.CopyTo(_buffer.AsSpan(_held));
        for (int at = _held; at < _length; at++)
        {
            _state = _automaton.Next(_state, _buffer[at]);
            if (_automaton.StopAt(_state) is { } stop)
            {
                Stop = stop;
                _held = 0;
                return new StopResult(_buffer.AsSpan(0, at + 1 - (_includeStop ? 0 : stop.Length)), stop);
            }
        }

        _held = _automaton.Depth(_state);
        return new StopResult(_buffer.AsSpan(0, _length - _held), null);
    }

    /// <summary>Ends the stream: what was held back cannot become a stop string any more.</summary>
    /// <returns>The text held back; valid until the next call.</returns>
    public ReadOnlySpan<char> Flush()
    {
        ReadOnlySpan<char> rest = _buffer.AsSpan(_length - _held, _held);
        _held = 0;
        _state = StopAutomaton.Root;
        return rest;
    }

    private void Reserve(int length)
    {
        if (length > _buffer.Length)
        {
            Array.Resize(ref _buffer, Math.Max(length, _buffer.Length * 2));
        }
    }
}
