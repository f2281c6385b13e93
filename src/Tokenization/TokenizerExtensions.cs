using System.Buffers;

namespace Concertina.Tokenization;

/// <summary>The forms of <see cref="ITokenizer"/> that give an array.</summary>
public static class TokenizerExtensions
{
    /// <summary>The ids of <paramref name="text"/>, as <see cref="ITokenizer.Encode"/> defines them.</summary>
    public static int[] Encode(this ITokenizer tokenizer, string text, bool addSpecial, bool parseSpecial)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        ArgumentNullException.ThrowIfNull(text);
        ArrayBufferWriter<int> output = new(Math.Max(16, text.Length / 2));
        tokenizer.Encode(text.AsSpan(), addSpecial, parseSpecial, output);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>The ids of a rendered chat, as <see cref="ITokenizer.EncodeChat"/> defines them.</summary>
    public static int[] EncodeChat(this ITokenizer tokenizer, RenderedChat chat, bool addSpecial)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        ArgumentNullException.ThrowIfNull(chat);
        ArrayBufferWriter<int> output = new(Math.Max(16, chat.Text.Length / 2));
        tokenizer.EncodeChat(chat, addSpecial, output);
        return output.WrittenSpan.ToArray();
    }
}
