namespace Concertina.Tokenization.Jinja.Values;

/// <summary>A string that remembers which of its parts the template wrote and which came out of the conversation.
/// Equality is that of the strings alone.</summary>
internal sealed class TemplateText : IEquatable<TemplateText>
{
    public static readonly TemplateText Empty = new("", [new ChatSegment(0, 0, true)]);

    internal TemplateText(string value, ChatSegment[] parts)
    {
        Value = value;
        Parts = parts;
    }

    public string Value { get; }

    /// <summary>In order, without gaps; at least one, which alone may be empty.</summary>
    public ChatSegment[] Parts { get; }

    public int Length => Value.Length;

    public static TemplateText OfTemplate(string value) => new(value, [new ChatSegment(0, value.Length, true)]);

    public static TemplateText OfData(string value) => new(value, [new ChatSegment(0, value.Length, false)]);

    public TemplateText Slice(int start, int length)
    {
        if (length == Length)
        {
            return this;
        }

        TemplateTextBuilder slice = new();
        slice.Append(this, start, length);
        return slice.ToText();
    }

    /// <summary>The same text with each unit replaced; origins stay.</summary>
    public TemplateText WithValue(string sameLength) => new(sameLength, Parts);

    public bool Equals(TemplateText? other) => other is not null && Value == other.Value;

    public override bool Equals(object? obj) => Equals(obj as TemplateText);

    public override int GetHashCode() => Value.GetHashCode(StringComparison.Ordinal);

    public override string ToString() => Value;
}
