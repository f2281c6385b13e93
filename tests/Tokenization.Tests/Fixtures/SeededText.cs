using System.Text;

namespace Concertina.Tokenization.Tests;

/// <summary>Texts that are hard on tokenizers, from a seed.</summary>
internal static class SeededText
{
    private static readonly string[] Pieces =
    [
        "the", " the", " clock", "don't", "WE'LL", "12345", " 7", "\n", "\r\n", "  ", "\t", "   \n\n ", "é", "日本語", "한국어", "😀", "👩‍👩‍👧", "𝒳", "𐐀",
        "\u0301", "...", "!?", "<", "|", ">", "<|", "|>", "end", "\u00a0", "\u200b", "\u3000", "٣", "ⅷ", "_", "$x=1;", "\ud800", "\0", "ß", "Ǆ",
    ];

    public static string Any(Random random, int pieces)
    {
        StringBuilder text = new();
        for (int i = 0; i < pieces; i++)
        {
            text.Append(random.Next(4) == 0 ? ((char)random.Next(1, 0xD800)).ToString() : Pieces[random.Next(Pieces.Length)]);
        }

        return text.ToString();
    }

    /// <summary>What a text becomes when it goes through UTF-8: lone surrogates are U+FFFD.</summary>
    public static string ThroughUtf8(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));
}
