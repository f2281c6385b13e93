using System.Buffers;

namespace Concertina.Tokenization.Bpe;

/// <summary>Cuts a text into words, each of which is merged alone. Linear in the text's length.</summary>
internal sealed class WordSplitter(bool takesWholeWords, params SplitStage[] stages)
{
    /// <summary>Whether a word that is a token is taken as it is, without merging.</summary>
    public bool TakesWholeWords { get; } = takesWholeWords;

    /// <summary>The words of <paramref name="text"/>, in order, without gaps.</summary>
    public List<Piece> Split(ReadOnlySpan<char> text)
    {
        if (text.IndexOfAnyInRange('\uD800', '\uDFFF') < 0)
        {
            return Cut(text);
        }

        char[] folded = ArrayPool<char>.Shared.Rent(text.Length);
        int[] starts = ArrayPool<int>.Shared.Rent(text.Length + 1);
        int count = CodePointFolding.Fold(text, folded, starts);
        List<Piece> words = Cut(folded.AsSpan(0, count));
        for (int i = 0; i < words.Count; i++)
        {
            int start = starts[words[i].Start];
            words[i] = new Piece(start, starts[words[i].Start + words[i].Length] - start);
        }

        ArrayPool<char>.Shared.Return(folded);
        ArrayPool<int>.Shared.Return(starts);
        return words;
    }

    private List<Piece> Cut(ReadOnlySpan<char> text)
    {
        List<Piece> pieces = new((text.Length / 4) + 1) { new Piece(0, text.Length) };
        List<Piece> cut = new(pieces.Capacity);
        foreach (SplitStage stage in stages)
        {
            cut.Clear();
            foreach (Piece piece in pieces)
            {
                stage.Split(text, piece, cut);
            }

            (pieces, cut) = (cut, pieces);
        }

        return pieces;
    }
}
