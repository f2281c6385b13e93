namespace Concertina.Tokenization.Bpe;

/// <summary>The printable alphabet in which GPT-2 vocabularies write bytes: printable Latin-1 bytes stand for themselves,
/// the other 68 are U+0100 and up in order.</summary>
internal static class ByteAlphabet
{
    private const int LettersEnd = 0x144;
    private static readonly char[] Letters = BuildLetters();
    private static readonly short[] Bytes = BuildBytes();

    /// <summary>The letter of a byte.</summary>
    public static char LetterOf(byte value) => Letters[value];

    /// <summary>The bytes that <paramref name="token"/> stands for, or null if a character is not in the alphabet.</summary>
    public static byte[]? TryDecode(string token)
    {
        byte[] bytes = new byte[token.Length];
        for (int i = 0; i < token.Length; i++)
        {
            char letter = token[i];
            if (letter >= LettersEnd || Bytes[letter] < 0)
            {
                return null;
            }

            bytes[i] = (byte)Bytes[letter];
        }

        return bytes;
    }

    private static char[] BuildLetters()
    {
        char[] letters = new char[256];
        char next = (char)256;
        for (int value = 0; value < 256; value++)
        {
            bool printable = value is (>= 33 and < 127) or (>= 161 and < 173) or (>= 174 and < 256);
            letters[value] = printable ? (char)value : next++;
        }

        return letters;
    }

    private static short[] BuildBytes()
    {
        short[] bytes = new short[LettersEnd];
        Array.Fill(bytes, (short)-1);
        for (short value = 0; value < 256; value++)
        {
            bytes[Letters[value]] = value;
        }

        return bytes;
    }
}
