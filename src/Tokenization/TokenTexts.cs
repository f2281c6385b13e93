using System.Globalization;
using System.Text;
using Concertina.Tokenization.Bpe;

namespace Concertina.Tokenization;

/// <summary>The bytes of every token, in one array.</summary>
internal sealed class TokenTexts
{
    private readonly byte[] _bytes;
    private readonly int[] _starts;

    public TokenTexts(TokenizerSpec spec)
    {
        _starts = new int[spec.Tokens.Count + 1];
        using MemoryStream bytes = new();
        for (int id = 0; id < spec.Tokens.Count; id++)
        {
            bytes.Write(BytesOf(spec, id));
            _starts[id + 1] = checked((int)bytes.Length);
        }

        _bytes = bytes.ToArray();
    }

    public ReadOnlySpan<byte> Of(int id) => _bytes.AsSpan(_starts[id].._starts[id + 1]);

    private static byte[] BytesOf(TokenizerSpec spec, int id)
    {
        string token = spec.Tokens[id];
        return spec.Types[id] switch
        {
            TokenKind.Control or TokenKind.UserDefined or TokenKind.Unknown => Encoding.UTF8.GetBytes(token),
            TokenKind.Byte => [ByteOf(token, id)],
            _ => ByteAlphabet.TryDecode(token) ?? Encoding.UTF8.GetBytes(token),
        };
    }

    /// <summary>The value of a byte token "&lt;0xNN&gt;".</summary>
    public static byte ByteOf(string token, int id) =>
        token.Length == 6 && token.StartsWith("<0x", StringComparison.Ordinal) && token[5] == '>'
            && byte.TryParse(token.AsSpan(3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out byte value)
            ? value
            : throw new TokenizerSpecException("tokens", $"byte token {id} is '{token}'; expected the form <0x00> to <0xFF>.");
}
