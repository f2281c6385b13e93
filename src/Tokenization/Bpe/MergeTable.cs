namespace Concertina.Tokenization.Bpe;

/// <summary>Which neighbouring tokens merge into which token, and how early. Read-only after construction.</summary>
internal sealed class MergeTable
{
    private readonly Dictionary<ulong, Merge> _merges;

    /// <summary>Builds the table from a specification.</summary>
    /// <param name="merges">"left right", strongest first.</param>
    /// <param name="idOf">Token text to id.</param>
    /// <exception cref="TokenizerSpecException">A merge is malformed or names a token that does not exist.</exception>
    public MergeTable(IReadOnlyList<string> merges, IReadOnlyDictionary<string, int> idOf)
    {
        _merges = new Dictionary<ulong, Merge>(merges.Count);
        for (int rank = 0; rank < merges.Count; rank++)
        {
            string merge = merges[rank];
            int space = merge.IndexOf(' ', Math.Min(1, merge.Length));
            if (space < 1 || space == merge.Length - 1)
            {
                throw new TokenizerSpecException("merges", $"entry {rank} is '{merge}'; expected two tokens with a space between.");
            }

            string left = merge[..space];
            string right = merge[(space + 1)..];
            ulong pair = Pair(Id(left, rank, idOf), Id(right, rank, idOf));

            // A pair listed twice keeps its stronger place.
            _merges.TryAdd(pair, new Merge(rank, Id(left + right, rank, idOf)));
        }
    }

    /// <summary>The merge of two neighbours, if there is one.</summary>
    public bool TryFind(int left, int right, out Merge merge) => _merges.TryGetValue(Pair(left, right), out merge);

    private static ulong Pair(int left, int right) => ((ulong)(uint)left << 32) | (uint)right;

    private static int Id(string token, int rank, IReadOnlyDictionary<string, int> idOf) =>
        idOf.TryGetValue(token, out int id)
            ? id
            : throw new TokenizerSpecException("merges", $"entry {rank} needs token '{token}', which 'tokens' does not have.");

    /// <summary>One merge.</summary>
    /// <param name="Rank">Place in the list; the lowest is applied first.</param>
    /// <param name="Id">The token that replaces both.</param>
    internal readonly record struct Merge(int Rank, int Id);
}
