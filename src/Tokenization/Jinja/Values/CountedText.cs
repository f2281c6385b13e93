using System.Text;

namespace Concertina.Tokenization.Jinja.Values;

/// <summary>Text under construction that counts every value and unit before it grows.</summary>
internal sealed class CountedText(Rendering rendering)
{
    private readonly StringBuilder _text = new();

    /// <summary>Counts one value about to be written.</summary>
    public void Visit() => rendering.Visit();

    public void Append(char unit)
    {
        rendering.Count(1);
        _text.Append(unit);
    }

    public void Append(string text)
    {
        rendering.Count(text.Length);
        _text.Append(text);
    }

    public void Append(char unit, int times)
    {
        rendering.Count(times);
        _text.Append(unit, times);
    }

    public override string ToString() => _text.ToString();
}
