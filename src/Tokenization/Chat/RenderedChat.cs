namespace Concertina.Tokenization;

/// <summary>The text a chat template gave, and which parts of it the template itself wrote.</summary>
public sealed class RenderedChat
{
    /// <summary>A text with the origin of each part.</summary>
    /// <param name="text">All of the text.</param>
    /// <param name="segments">In order, without gaps, neighbours of different origin.</param>
    /// <exception cref="ArgumentException">The segments do not cover the text that way.</exception>
    public RenderedChat(string text, IReadOnlyList<ChatSegment> segments)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(segments);
        int end = 0;
        bool? origin = null;
        foreach (ChatSegment segment in segments)
        {
            if (segment.Start != end || segment.Length < 1 || segment.FromTemplate == origin)
            {
                throw new ArgumentException(
                    $"Segment at {segment.Start} of length {segment.Length} does not follow {end} with another origin.", nameof(segments));
            }

            end += segment.Length;
            origin = segment.FromTemplate;
        }

        if (end != text.Length)
        {
            throw new ArgumentException($"Segments cover {end} of {text.Length} units.", nameof(segments));
        }

        Text = text;
        Segments = segments;
    }

    /// <summary>All of the text.</summary>
    public string Text { get; }

    /// <summary>The origin of each part: in order, without gaps, neighbours of different origin.</summary>
    public IReadOnlyList<ChatSegment> Segments { get; }
}
