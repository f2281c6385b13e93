using System.Globalization;
using System.Text;

namespace Concertina.Tokenization.Bpe;

/// <summary>Lets patterns that see UTF-16 units treat a character above U+FFFF as one character: each is replaced by one
/// unit of the same class, and the original positions are kept beside it.</summary>
internal static class CodePointFolding
{
    private const char CasedLetter = '\u00C0';
    private const char OtherLetter = '\u00AA';
    private const char Mark = '\u0300';
    private const char Number = '\u00B2';
    private const char Punctuation = '\u00A7';
    private const char Symbol = '\u00A9';

    /// <summary>Writes the folded text.</summary>
    /// <param name="text">Source.</param>
    /// <param name="folded">As long as the source at least.</param>
    /// <param name="starts">One longer than the source at least; entry i is where folded unit i starts in the source, and
    /// the entry after the last is the source's length.</param>
    /// <returns>Count of folded units.</returns>
    public static int Fold(ReadOnlySpan<char> text, Span<char> folded, Span<int> starts)
    {
        int count = 0;
        for (int at = 0; at < text.Length; count++)
        {
            starts[count] = at;
            if (!char.IsSurrogate(text[at]))
            {
                folded[count] = text[at++];
                continue;
            }

            Rune.DecodeFromUtf16(text[at..], out Rune rune, out int consumed);
            folded[count] = rune.IsBmp ? (char)rune.Value : ClassOf(rune);
            at += consumed;
        }

        starts[count] = text.Length;
        return count;
    }

    private static char ClassOf(Rune rune) => Rune.GetUnicodeCategory(rune) switch
    {
        UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter
            or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter => IsCased(rune.Value) ? CasedLetter : OtherLetter,
        UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark => Mark,
        UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => Number,
        UnicodeCategory.ConnectorPunctuation or UnicodeCategory.DashPunctuation or UnicodeCategory.OpenPunctuation
            or UnicodeCategory.ClosePunctuation or UnicodeCategory.InitialQuotePunctuation
            or UnicodeCategory.FinalQuotePunctuation or UnicodeCategory.OtherPunctuation => Punctuation,
        _ => Symbol,
    };

    // The ranges above U+FFFF of DeepSeek's list of cased letters.
    private static bool IsCased(int value) => value is
        (>= 0x10400 and <= 0x1044F) or (>= 0x104B0 and <= 0x104D3) or (>= 0x104D8 and <= 0x104FB)
        or (>= 0x10C80 and <= 0x10CB2) or (>= 0x10CC0 and <= 0x10CF2) or (>= 0x118A0 and <= 0x118DF)
        or (>= 0x1E900 and <= 0x1E943);
}
