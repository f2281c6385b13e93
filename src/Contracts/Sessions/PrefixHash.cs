using System.Text;

namespace Concertina.Contracts.Sessions;

/// <summary>
/// Chained hashes of a prompt's full columns (64 tokens each), by which requests find the worker that has their prefix.
/// They steer and never decide: a collision costs a cache miss, so 64 bits without a secret are enough.
/// </summary>
public static class PrefixHash
{
    /// <summary>Tokens of one column.</summary>
    public const int ColumnTokens = 64;

    /// <summary>Most columns hashed; longer prompts are told apart by their first 4,096 tokens.</summary>
    public const int MaxColumns = 64;

    /// <summary>Hash of each full column of the prompt, chained: equal hashes mean equal tokens up to that column.</summary>
    /// <param name="tenantId">Tenant; prefixes are never shared between tenants.</param>
    /// <param name="cacheSalt">Narrows sharing within the tenant; null: the whole tenant shares.</param>
    /// <param name="tokens">The prompt.</param>
    public static ulong[] Columns(string tenantId, string? cacheSalt, ReadOnlySpan<int> tokens)
    {
        ArgumentNullException.ThrowIfNull(tenantId);
        ulong[] hashes = new ulong[Math.Min(tokens.Length / ColumnTokens, MaxColumns)];
        ulong hash = Root(tenantId, cacheSalt);
        for (int column = 0; column < hashes.Length; column++)
        {
            foreach (int token in tokens.Slice(column * ColumnTokens, ColumnTokens))
            {
                hash = Mix(hash ^ (uint)token);
            }
            hashes[column] = hash;
        }
        return hashes;
    }

    private static ulong Root(string tenantId, string? cacheSalt)
    {
        ulong hash = cacheSalt is null ? 1u : 2u;
        foreach (byte value in Encoding.UTF8.GetBytes($"{tenantId}\0{cacheSalt}"))
        {
            hash = Mix(hash ^ value);
        }
        return hash;
    }

    // Finaliser of SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014) after its increment.
    private static ulong Mix(ulong value)
    {
        value += 0x9E3779B97F4A7C15;
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
