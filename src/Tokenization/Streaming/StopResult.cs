namespace Concertina.Tokenization;

/// <summary>What a <see cref="StopMatcher"/> makes of a piece of text.</summary>
public readonly ref struct StopResult
{
    internal StopResult(ReadOnlySpan<char> text, string? stop)
    {
        Text = text;
        Stop = stop;
    }

    /// <summary>Text that may be shown now; valid until the matcher's next call.</summary>
    public ReadOnlySpan<char> Text { get; }

    /// <summary>The stop string that was found, or null. Once found, no more text comes.</summary>
    public string? Stop { get; }
}
