namespace Concertina.Compute.KvCache.Memory;

/// <summary>
/// Who pays for bytes that page tables refer to: a unit counts once, for the account of the first table that took it, however
/// many share it. Tables share units through prefix columns, which have one tenant, and with forks of their own; so each of n
/// sharers pays an nth. The engine's thread writes; any thread reads.
/// </summary>
internal sealed class KvAccounts
{
    /// <summary>The account of a unit that no table took yet.</summary>
    public const ushort None = 0;

    /// <summary>The account of tables that belong to no tenant.</summary>
    public const ushort Nobody = 1;

    private const int MostAccounts = ushort.MaxValue;
    private long[] _bytes = new long[16];
    private int _count = Nobody + 1;

    /// <summary>Number of accounts, with <see cref="None"/>.</summary>
    public int Count => _count;

    /// <summary>Opens an account; it lasts as long as the cache.</summary>
    /// <exception cref="InvalidOperationException">There are 65,535 already.</exception>
    public ushort Open()
    {
        if (_count == MostAccounts)
        {
            throw new InvalidOperationException($"A KV cache keeps at most {MostAccounts:N0} accounts; configure fewer tenants.");
        }
        if (_count == _bytes.Length)
        {
            long[] more = new long[2 * _count];
            _bytes.CopyTo(more, 0);
            Volatile.Write(ref _bytes, more);
        }
        return (ushort)_count++;
    }

    /// <summary>Bytes of an account now.</summary>
    public long Bytes(ushort account) => Volatile.Read(ref Volatile.Read(ref _bytes)[account]);

    /// <summary>Counts bytes taken (positive) or given back.</summary>
    public void Add(ushort account, long bytes) => _bytes[account] += bytes;
}
