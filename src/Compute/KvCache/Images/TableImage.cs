using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Concertina.Compute.KvCache.Images;

/// <summary>A page table outside of the arena, and which tokens it is the cache of: what a page file holds. Immutable.</summary>
internal sealed class TableImage
{
    private TableImage(TableState state, byte[] tokensHash, IReadOnlyList<byte[]> ranks) =>
        (State, TokensHash, Ranks) = (state, tokensHash, ranks);

    public TableState State { get; }

    /// <summary>SHA-256 over the ids of the tokens that are covered.</summary>
    public byte[] TokensHash { get; }

    /// <summary>Units by their place in the lists.</summary>
    public IReadOnlyList<byte[]> Ranks { get; }

    /// <summary>First record of an image: hash of the tokens, then the state.</summary>
    public static byte[] FirstRecord(TableState state, ReadOnlySpan<int> tokens)
    {
        byte[] record = new byte[SHA256.HashSizeInBytes + TableState.ByteCount(state.Lengths.Length)];
        HashOf(tokens[..state.TokenCount]).CopyTo(record, 0);
        state.Write(record.AsSpan(SHA256.HashSizeInBytes));
        return record;
    }

    /// <summary>Makes an image of the records of a file, after all of them were found to be possible in this cache.</summary>
    /// <param name="images">The cache.</param>
    /// <param name="records">First record, then one per rank.</param>
    /// <param name="problem">What is wrong with them.</param>
    public static TableImage? Parse(TableImages images, IReadOnlyList<byte[]> records, out string problem)
    {
        byte[] first = records.Count > 0 ? records[0] : [];
        TableState? state = first.Length > SHA256.HashSizeInBytes
            ? TableState.Read(first.AsSpan(SHA256.HashSizeInBytes), images.HeadCount)
            : null;
        IReadOnlyList<byte[]> ranks = [.. records.Skip(1)];
        problem = state is null ? "its first record is no state of a table" : images.Problem(state, ranks) ?? "";
        return state is null || problem.Length > 0 ? null : new TableImage(state, first[..SHA256.HashSizeInBytes], ranks);
    }

    /// <summary>Whether these tokens begin with those that are covered.</summary>
    public bool Covers(ReadOnlySpan<int> tokens) =>
        tokens.Length >= State.TokenCount && HashOf(tokens[..State.TokenCount]).AsSpan().SequenceEqual(TokensHash);

    private static byte[] HashOf(ReadOnlySpan<int> tokens) => SHA256.HashData(MemoryMarshal.AsBytes(tokens));
}
