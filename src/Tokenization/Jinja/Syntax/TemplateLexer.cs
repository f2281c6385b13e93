namespace Concertina.Tokenization.Jinja.Syntax;

/// <summary>Cuts a template into literal text and tags. White space follows the settings Hugging Face uses: trim_blocks and
/// lstrip_blocks are on, one newline at the very end is dropped, "-" strips all and "+" strips nothing.</summary>
internal sealed class TemplateLexer
{
    private readonly string _source;
    private readonly int[] _lineStarts;
    private readonly List<Token> _tokens = [];
    private int _at;
    private bool _lineStarting = true;

    private TemplateLexer(string source)
    {
        string text = source.ReplaceLineEndings("\n");
        _source = text.EndsWith('\n') ? text[..^1] : text;
        List<int> starts = [0];
        for (int i = 0; i < _source.Length; i++)
        {
            if (_source[i] == '\n')
            {
                starts.Add(i + 1);
            }
        }

        _lineStarts = [.. starts];
    }

    public static List<Token> Read(string source)
    {
        TemplateLexer lexer = new(source);
        lexer.ReadAll();
        return lexer._tokens;
    }

    private void ReadAll()
    {
        while (_at < _source.Length)
        {
            int open = NextTag(_at);
            if (open < 0)
            {
                AddData(_source.Length, strip: false);
                _at = _source.Length;
                break;
            }

            char kind = _source[open + 1];
            char sign = open + 2 < _source.Length ? _source[open + 2] : '\0';
            AddData(DataEnd(open, kind, sign), strip: sign == '-');
            _at = open + 2 + (sign is '-' or '+' ? 1 : 0);
            if (kind == '#')
            {
                SkipComment(open);
            }
            else
            {
                ReadTag(open, kind == '{' ? (TokenType.OpenPrint, TokenType.ClosePrint, "}}") : (TokenType.OpenBlock, TokenType.CloseBlock, "%}"));
            }
        }

        _tokens.Add(new Token(TokenType.End, "", PlaceOf(_source.Length)));
    }

    private int NextTag(int from)
    {
        for (int at = _source.IndexOf('{', from); at >= 0 && at + 1 < _source.Length; at = _source.IndexOf('{', at + 1))
        {
            if (_source[at + 1] is '{' or '%' or '#')
            {
                return at;
            }
        }

        return -1;
    }

    // lstrip_blocks: white space between the line's start and a block or comment belongs to the tag.
    private int DataEnd(int open, char kind, char sign)
    {
        if (kind == '{' || sign is '+' or '-')
        {
            return open;
        }

        int line = open > _at ? _source.LastIndexOf('\n', open - 1, open - _at) + 1 : 0;
        int from = line > 0 ? line : _at;
        return (line > 0 || _lineStarting) && _source.AsSpan(from, open - from).IsWhiteSpace() ? from : open;
    }

    private void AddData(int end, bool strip)
    {
        string text = strip ? _source[_at..end].TrimEnd() : _source[_at..end];
        if (text.Length > 0)
        {
            _tokens.Add(new Token(TokenType.Data, text, PlaceOf(_at)));
        }
    }

    private void SkipComment(int open)
    {
        int close = _source.IndexOf("#}", _at, StringComparison.Ordinal);
        if (close < 0)
        {
            throw PlaceOf(open).Error("the comment is not closed by '#}'.");
        }

        char sign = _source[close - 1];
        _at = close + 2;
        EndTag(sign, trims: true);
    }

    private void ReadTag(int open, (TokenType Open, TokenType Close, string Mark) tag)
    {
        _tokens.Add(new Token(tag.Open, tag.Mark, PlaceOf(open)));
        ExpressionLexer expression = new(_source, PlaceOf, _tokens);
        (int close, char sign) = expression.ReadUntil(_at, tag.Mark, open);
        _tokens.Add(new Token(tag.Close, tag.Mark, PlaceOf(close)));
        _at = close + tag.Mark.Length + (sign == '\0' ? 0 : 1);
        bool raw = _tokens is [.., { Type: TokenType.OpenBlock }, { Type: TokenType.Name, Value: "raw" }, _];
        EndTag(sign, trims: tag.Close == TokenType.CloseBlock && !raw);
        if (raw)
        {
            ReadRaw(open);
        }
    }

    private void EndTag(char sign, bool trims)
    {
        _lineStarting = false;
        if (sign == '-')
        {
            int end = _source.Length - _source.AsSpan(_at).TrimStart().Length;
            _lineStarting = end > _at && _source[end - 1] == '\n';
            _at = end;
        }
        else if (trims && sign != '+' && _at < _source.Length && _source[_at] == '\n')
        {
            _at++;
            _lineStarting = true;
        }
    }

    private void ReadRaw(int open)
    {
        _tokens.RemoveRange(_tokens.Count - 3, 3);
        for (int at = _source.IndexOf("{%", _at, StringComparison.Ordinal); at >= 0; at = _source.IndexOf("{%", at + 2, StringComparison.Ordinal))
        {
            int close = _source.IndexOf("%}", at, StringComparison.Ordinal);
            if (close < 0 || _source[(at + 2)..close].Trim(' ', '-', '+') != "endraw")
            {
                continue;
            }

            AddData(DataEnd(at, '%', _source[at + 2]), strip: _source[at + 2] == '-');
            _at = close + 2;
            EndTag(_source[close - 1], trims: true);
            return;
        }

        throw PlaceOf(open).Error("'raw' is not closed by 'endraw'.");
    }

    private Place PlaceOf(int at)
    {
        int line = Array.BinarySearch(_lineStarts, at);
        line = line < 0 ? ~line - 1 : line;
        return new Place(line + 1, at - _lineStarts[line] + 1);
    }
}
