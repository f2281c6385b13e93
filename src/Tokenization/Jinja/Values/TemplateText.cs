namespace Concertina.Tokenization.Jinja.Values;

/// <summary>A string that remembers which of its parts the template wrote and which came out of the conversation.
/// Equality is that of the strings alone.</summary>
internal sealed class TemplateText : IEquatable<TemplateText>
{
    public static readonly TemplateText Empty = new("", [new ChatSegment(0, 0, true)]);

    private int _characterCount = -1;

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

        ChatSegment part = Parts[PartAt(start)];
        if (start + length <= part.Start + part.Length)
        {
            return new TemplateText(Value.Substring(start, length), [new ChatSegment(0, length, part.FromTemplate)]);
        }

        TemplateTextBuilder slice = new();
        slice.Append(this, start, length);
        return slice.ToText();
    }

    /// <summary>Count of characters: a surrogate pair is one.</summary>
    public int CharacterCount
    {
        get
        {
            // Computed alike by every thread that finds it missing.
            if (_characterCount < 0)
            {
                int count = Length;
                if (Value.AsSpan().IndexOfAnyInRange('\uD800', '\uDFFF') >= 0)
                {
                    for (int at = 0; at < Length; at += UnitsAt(at))
                    {
                        count -= UnitsAt(at) - 1;
                    }
                }

                _characterCount = count;
            }

            return _characterCount;
        }
    }

    /// <summary>Units of the character at a place: 2 for a surrogate pair.</summary>
    public int UnitsAt(int at) =>
        char.IsHighSurrogate(Value[at]) && at + 1 < Length && char.IsLowSurrogate(Value[at + 1]) ? 2 : 1;

    /// <summary>The unit at which a character starts, at most <see cref="Length"/>.</summary>
    public int UnitOf(Rendering rendering, int character)
    {
        if (CharacterCount == Length)
        {
            return character;
        }

        rendering.Count(character);
        int at = 0;
        for (int i = 0; i < character; i++)
        {
            at += UnitsAt(at);
        }

        return at;
    }

    /// <summary>The last part that starts at or before a place.</summary>
    public int PartAt(int start)
    {
        int low = 0;
        int high = Parts.Length - 1;
        while (low < high)
        {
            int middle = (low + high + 1) / 2;
            (low, high) = Parts[middle].Start <= start ? (middle, high) : (low, middle - 1);
        }

        return low;
    }

    /// <summary>The same text with each unit replaced; origins stay.</summary>
    public TemplateText WithValue(string sameLength) => new(sameLength, Parts);

    public bool Equals(TemplateText? other) => other is not null && Value == other.Value;

    public override bool Equals(object? obj) => Equals(obj as TemplateText);

    public override int GetHashCode() => Value.GetHashCode(StringComparison.Ordinal);

    public override string ToString() => Value;
}
