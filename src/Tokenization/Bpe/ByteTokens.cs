using System.Buffers;

namespace Concertina.Tokenization.Bpe;

/// <summary>The token of each byte. Nothing is dropped: a byte without a token is the unknown token; where the model has
/// none, its character becomes U+FFFD.</summary>
internal sealed class ByteTokens
{
    private const int NoToken = -1;
    private readonly int[] _ids = new int[256];
    private readonly SearchValues<byte> _replaced;

    /// <summary>Builds the table.</summary>
    /// <param name="spec">A checked description of model "gpt2".</param>
    /// <param name="idOf">Token text to id.</param>
    /// <param name="unknownId">Stands for a byte without a token, or null.</param>
    /// <exception cref="TokenizerSpecException">A byte of common text has no token and nothing stands for it.</exception>
    public ByteTokens(TokenizerSpec spec, Dictionary<string, int> idOf, int? unknownId)
    {
        List<byte> absent = [];
        for (int value = 0; value < 256; value++)
        {
            string letter = ByteAlphabet.LetterOf((byte)value).ToString();
            bool known = idOf.TryGetValue(letter, out int id) && spec.Types[id] != TokenKind.UserDefined;
            _ids[value] = known ? id : unknownId ?? NoToken;
            if (_ids[value] == NoToken && IsUtf8((byte)value))
            {
                absent.Add((byte)value);
            }
        }

        if (absent.FindAll(value => !MayBeAbsent(value)) is { Count: > 0 } missing)
        {
            throw new TokenizerSpecException(
                "tokens",
                $"{missing.Count} bytes of common text have no token, the first is 0x{missing[0]:X2}, and 'unknown' names none "
                + "that could stand for them. Write the description again from a complete model file.");
        }

        _replaced = SearchValues.Create([.. absent]);
    }

    /// <summary>The tokens of a word's bytes.</summary>
    /// <param name="word">UTF-8.</param>
    /// <param name="ids">Room for the most bytes that text of the word's length can have.</param>
    /// <returns>Count of ids written.</returns>
    public int Map(ReadOnlySpan<byte> word, Span<int> ids)
    {
        int count = 0;
        while (!word.IsEmpty)
        {
            int plain = word.IndexOfAny(_replaced) is var found and >= 0 ? found : word.Length;
            count += MapKnown(word[..plain], ids[count..]);
            word = word[plain..];
            if (!word.IsEmpty)
            {
                count += MapKnown("\uFFFD"u8, ids[count..]);
                word = word[(word[0] < 0x80 ? 1 : 4)..];
            }
        }

        return count;
    }

    private int MapKnown(ReadOnlySpan<byte> bytes, Span<int> ids)
    {
        for (int i = 0; i < bytes.Length; i++)
        {
            ids[i] = _ids[bytes[i]];
        }

        return bytes.Length;
    }

    private static bool IsUtf8(byte value) => value is not (0xC0 or 0xC1 or >= 0xF5);

    // What vocabularies trained on text lack: control characters but tab and line ends, and the first bytes of the planes
    // 4 to 11, which Unicode has not assigned (falcon lacks 0x03 and 0xF2, starcoder 0xF1).
    private static bool MayBeAbsent(byte value) =>
        value is (< 0x20 and not ((byte)'\t' or (byte)'\n' or (byte)'\r')) or 0x7F or 0xF1 or 0xF2;
}
