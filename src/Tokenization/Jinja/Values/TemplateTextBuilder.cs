using System.Text;

namespace Concertina.Tokenization.Jinja.Values;

/// <summary>Joins texts and keeps the origin of each part; neighbours of one origin become one part.</summary>
internal sealed class TemplateTextBuilder
{
    private readonly StringBuilder _value = new();
    private readonly List<ChatSegment> _parts = [];

    public int Length => _value.Length;

    public void Append(TemplateText text) => Append(text, 0, text.Length);

    public void Append(TemplateText text, int start, int length)
    {
        int end = start + length;
        for (int i = text.PartAt(start); i < text.Parts.Length && text.Parts[i].Start < end; i++)
        {
            ChatSegment part = text.Parts[i];
            int from = Math.Max(start, part.Start);
            int to = Math.Min(end, part.Start + part.Length);
            if (from < to)
            {
                Append(text.Value.AsSpan(from, to - from), part.FromTemplate);
            }
        }
    }

    public void Append(ReadOnlySpan<char> value, bool fromTemplate)
    {
        if (value.IsEmpty)
        {
            return;
        }

        if (_parts.Count > 0 && _parts[^1].FromTemplate == fromTemplate)
        {
            _parts[^1] = _parts[^1] with { Length = _parts[^1].Length + value.Length };
        }
        else
        {
            _parts.Add(new ChatSegment(_value.Length, value.Length, fromTemplate));
        }

        _value.Append(value);
    }

    public TemplateText ToText() => _parts.Count == 0 ? TemplateText.Empty : new TemplateText(_value.ToString(), [.. _parts]);

    public RenderedChat ToChat() => new(_value.ToString(), _parts);
}
