using System.Text;

namespace Concertina.Tokenization;

/// <summary>Turns a stream of token ids into text, piece by piece. Bytes of an unfinished character are held back, so no
/// piece ends inside a character; all pieces together are what <see cref="ITokenizer.Decode"/> gives for all ids. Not for
/// use by several threads at once.</summary>
/// <param name="tokenizer">The model's tokenizer.</param>
/// <param name="skipSpecial">Leaves control tokens out.</param>
public sealed class IncrementalDecoder(ITokenizer tokenizer, bool skipSpecial)
{
    private readonly Decoder _utf8 = Encoding.UTF8.GetDecoder();
    private char[] _text = new char[64];

    /// <summary>Takes one token.</summary>
    /// <returns>The text that is complete now, often empty; valid until the next call.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The id is not of this vocabulary.</exception>
    public ReadOnlySpan<char> Append(int id) => _text.AsSpan(0, Push(id, 0));

    /// <summary>Takes several tokens.</summary>
    /// <returns>The text that is complete now; valid until the next call.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An id is not of this vocabulary; those before it are taken.</exception>
    public ReadOnlySpan<char> Append(ReadOnlySpan<int> ids)
    {
        int length = 0;
        foreach (int id in ids)
        {
            length = Push(id, length);
        }

        return _text.AsSpan(0, length);
    }

    /// <summary>Ends the stream: an unfinished character becomes U+FFFD. The decoder is then as new.</summary>
    /// <returns>What was held back; valid until the next call.</returns>
    public ReadOnlySpan<char> Flush() => _text.AsSpan(0, Convert([], 0, flush: true));

    private int Push(int id, int length) =>
        skipSpecial && tokenizer.IsControl(id) ? length : Convert(tokenizer.TokenBytes(id), length, flush: false);

    private int Convert(ReadOnlySpan<byte> bytes, int length, bool flush)
    {
        // At most one unit per byte, and up to three for a held-back beginning that turns out to be broken.
        int room = length + bytes.Length + 4;
        if (room > _text.Length)
        {
            Array.Resize(ref _text, Math.Max(room, _text.Length * 2));
        }

        return length + _utf8.GetChars(bytes, _text.AsSpan(length), flush);
    }
}
