using System.Text.RegularExpressions;

namespace Concertina.Tokenization.Bpe;

/// <summary>A stretch of a text, in UTF-16 units.</summary>
internal readonly record struct Piece(int Start, int Length);

/// <summary>One step of cutting: each piece is cut into matches and what lies between them. A later step sees each piece
/// as a text of its own, so look-ahead ends at the piece.</summary>
internal abstract class SplitStage
{
    /// <summary>Appends the parts of one piece, in order, without gaps.</summary>
    public abstract void Split(ReadOnlySpan<char> text, Piece piece, List<Piece> output);

    /// <summary>Cuts out the matches of a pattern.</summary>
    internal sealed class Matches(Regex pattern) : SplitStage
    {
        public override void Split(ReadOnlySpan<char> text, Piece piece, List<Piece> output)
        {
            int done = 0;
            foreach (ValueMatch match in pattern.EnumerateMatches(text.Slice(piece.Start, piece.Length)))
            {
                if (match.Index > done)
                {
                    output.Add(new Piece(piece.Start + done, match.Index - done));
                }

                output.Add(new Piece(piece.Start + match.Index, match.Length));
                done = match.Index + match.Length;
            }

            if (done < piece.Length)
            {
                output.Add(new Piece(piece.Start + done, piece.Length - done));
            }
        }
    }

    /// <summary>Cuts off the white space at the end of a piece. As a pattern (<c>\s+$</c>) it would cost quadratic time on
    /// long runs of spaces inside a text.</summary>
    internal sealed class TrailingSpace : SplitStage
    {
        public override void Split(ReadOnlySpan<char> text, Piece piece, List<Piece> output)
        {
            int kept = text.Slice(piece.Start, piece.Length).TrimEnd().Length;
            if (kept > 0)
            {
                output.Add(new Piece(piece.Start, kept));
            }

            if (kept < piece.Length)
            {
                output.Add(new Piece(piece.Start + kept, piece.Length - kept));
            }
        }
    }
}
