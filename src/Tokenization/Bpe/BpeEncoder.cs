using System.Buffers;
using System.Text;

namespace Concertina.Tokenization.Bpe;

/// <summary>Byte-level byte-pair encoding: words to UTF-8 bytes, bytes to byte tokens, merged by the table.</summary>
internal sealed class BpeEncoder : IFragmentEncoder
{
    private readonly WordSplitter _splitter;
    private readonly MergeTable _merges;
    private readonly ByteTokens _bytes;
    private readonly Dictionary<string, int> _wholeWords;

    /// <summary>Builds the tables.</summary>
    /// <param name="spec">A checked description of model "gpt2".</param>
    /// <param name="missingByteId">Stands for a byte without a token, or null if the model has nothing for that.</param>
    /// <exception cref="TokenizerSpecException">The tables contradict each other or lack bytes that text needs.</exception>
    public BpeEncoder(TokenizerSpec spec, int? missingByteId)
    {
        _splitter = WordSplitterCatalog.Of(spec.Pre);
        Dictionary<string, int> idOf = IdsByText(spec);
        _merges = new MergeTable(spec.Merges, idOf);
        _bytes = new ByteTokens(spec, idOf, missingByteId);

        // A user-defined token was taken before, or may not be taken here.
        _wholeWords = _splitter.TakesWholeWords
            ? new(idOf.Where(entry => spec.Types[entry.Value] != TokenKind.UserDefined), StringComparer.Ordinal) : [];
    }

    /// <inheritdoc/>
    public void Encode(ReadOnlySpan<char> text, FragmentPlace place, ref TokenSink sink)
    {
        int[] buffer = ArrayPool<int>.Shared.Rent(256);
        byte[] bytes = ArrayPool<byte>.Shared.Rent(256);
        foreach (Piece word in _splitter.Split(text))
        {
            int room = Encoding.UTF8.GetMaxByteCount(word.Length);
            if (room > bytes.Length || room > buffer.Length)
            {
                ArrayPool<int>.Shared.Return(buffer);
                ArrayPool<byte>.Shared.Return(bytes);
                buffer = ArrayPool<int>.Shared.Rent(room);
                bytes = ArrayPool<byte>.Shared.Rent(room);
            }

            int length = Encoding.UTF8.GetBytes(text.Slice(word.Start, word.Length), bytes);
            EncodeWord(bytes.AsSpan(0, length), buffer, ref sink);
        }

        ArrayPool<int>.Shared.Return(buffer);
        ArrayPool<byte>.Shared.Return(bytes);
    }

    private void EncodeWord(ReadOnlySpan<byte> word, Span<int> buffer, ref TokenSink sink)
    {
        if (_splitter.TakesWholeWords && TryWhole(word, out int whole))
        {
            sink.Add(whole);
            return;
        }

        int length = _bytes.Map(word, buffer);
        int merged = WordMerger.Merge(buffer[..length], _merges);
        for (int i = 0; i < merged; i++)
        {
            sink.Add(buffer[i]);
        }
    }

    private bool TryWhole(ReadOnlySpan<byte> word, out int id)
    {
        if (word.Length > TokenizerSpecValidation.MaxTokenChars)
        {
            id = default;
            return false;
        }

        Span<char> letters = stackalloc char[word.Length];
        for (int i = 0; i < word.Length; i++)
        {
            letters[i] = ByteAlphabet.LetterOf(word[i]);
        }

        return _wholeWords.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(letters, out id);
    }

    // Of tokens with the same text the first counts. Control tokens are left out: merging must never reach them.
    private static Dictionary<string, int> IdsByText(TokenizerSpec spec)
    {
        Dictionary<string, int> ids = new(spec.Tokens.Count, StringComparer.Ordinal);
        for (int id = 0; id < spec.Tokens.Count; id++)
        {
            if (spec.Types[id] is not TokenKind.Control and not TokenKind.Unknown)
            {
                ids.TryAdd(spec.Tokens[id], id);
            }
        }

        return ids;
    }
}
