using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Concertina.Compute.KvCache.Images;

/// <summary>What is known of a page table that lies in a file, its records left there: its state, and which tokens it is the cache of. Immutable.</summary>
internal sealed class TableImage
{
    private TableImage(TableState state, byte[] tokensHash) => (State, TokensHash) = (state, tokensHash);

    public TableState State { get; }

    /// <summary>SHA-256 over the ids of the tokens that are covered.</summary>
    public byte[] TokensHash { get; }

    /// <summary>First record of an image: hash of the tokens, then the state.</summary>
    public static byte[] FirstRecord(TableState state, ReadOnlySpan<int> tokens)
    {
        byte[] record = new byte[SHA256.HashSizeInBytes + TableState.ByteCount(state.Lengths.Length)];
        HashOf(tokens[..state.TokenCount]).CopyTo(record, 0);
        state.Write(record.AsSpan(SHA256.HashSizeInBytes));
        return record;
    }

    /// <summary>Reads a first record.</summary>
    /// <param name="restores">The cache.</param>
    /// <param name="first">The record.</param>
    /// <param name="problem">What is wrong with it.</param>
    public static TableImage? Parse(TableRestores restores, ReadOnlySpan<byte> first, out string problem)
    {
        TableState? state = first.Length > SHA256.HashSizeInBytes ? TableState.Read(first[SHA256.HashSizeInBytes..], restores.HeadCount) : null;
        problem = state is null ? "its first record is no state of a table" : restores.Problem(state) ?? "";
        return state is null || problem.Length > 0 ? null : new TableImage(state, first[..SHA256.HashSizeInBytes].ToArray());
    }

    /// <summary>Whether these tokens begin with those that are covered.</summary>
    public bool Covers(ReadOnlySpan<int> tokens) =>
        tokens.Length >= State.TokenCount && HashOf(tokens[..State.TokenCount]).AsSpan().SequenceEqual(TokensHash);

    private static byte[] HashOf(ReadOnlySpan<int> tokens) => SHA256.HashData(MemoryMarshal.AsBytes(tokens));
}
