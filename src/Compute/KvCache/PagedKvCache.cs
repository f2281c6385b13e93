namespace Concertina.Compute.KvCache;

/// <summary>
/// The paged KV cache of one worker: arena, page tables, codecs, prefix columns, physical byte accounting. Every figure
/// is physical bytes with tables and scratch counted. One thread (the engine's) calls everything but <see cref="Write"/>
/// and attention, which the model runner's threads call during a step.
/// </summary>
public sealed class PagedKvCache : IDisposable
{
    /// <summary>Makes a cache that never uses more than its budget.</summary>
    /// <exception cref="ArgumentException">The budget cannot hold one column and the reserve; the message has the bytes.</exception>
    public PagedKvCache(KvShape shape, KvCacheOptions options) => throw new NotImplementedException();

    /// <summary>Shape of the model it serves.</summary>
    public KvShape Shape => throw new NotImplementedException();

    /// <summary>All bytes it may use.</summary>
    public long BudgetBytes => throw new NotImplementedException();

    /// <summary>Part of the budget that belongs to no session, so that a full arena can still be squeezed.</summary>
    public long TranscodeReserveBytes => throw new NotImplementedException();

    /// <summary>Physical bytes in use now.</summary>
    public long UsedBytes => throw new NotImplementedException();

    /// <summary>Bytes in use only by prefix columns that no table refers to; reclaimable at once.</summary>
    public long UnreferencedPrefixBytes => throw new NotImplementedException();

    /// <summary>
    /// Most physical bytes a sequence of this many tokens can hold at the floor rung, exact parts and its page lists
    /// included: the unit of commitments. Monotonic in tokens; a table's <see cref="PageTable.Bytes"/> never exceeds it.
    /// </summary>
    public long CommitmentBytes(int tokens) => throw new NotImplementedException();

    /// <summary>Makes an empty page table.</summary>
    public PageTable CreateTable() => throw new NotImplementedException();

    /// <summary>
    /// Makes sure that slots for all tokens below <paramref name="tokens"/> exist, dropping unreferenced prefix columns
    /// (least recently used first) if bytes are short. All or nothing.
    /// </summary>
    /// <returns>False when the bytes cannot be had; nothing has changed but dropped columns.</returns>
    public bool TryReserve(PageTable table, int tokens) => throw new NotImplementedException();

    /// <summary>Stores K and V of neighbouring rows of one layer; slots are reserved. Rounds them to the open page's 16-bit form. Thread-safe for different tables or layers.</summary>
    public void Write(PageTable table, int layer, in KvRows rows) => throw new NotImplementedException();

    /// <summary>Declares all tokens below <paramref name="tokens"/> written (after a step).</summary>
    public void Commit(PageTable table, int tokens) => throw new NotImplementedException();

    /// <summary>Cuts the sequence to tokens below <paramref name="tokens"/>; whole units beyond are freed. Shared columns are never changed: a cut inside one copies what stays.</summary>
    /// <returns>The tokens that remain; below the request only if a unit cannot be cut there (then the caller recomputes from there).</returns>
    public int Truncate(PageTable table, int tokens) => throw new NotImplementedException();

    /// <summary>Gives back every unit of the table. The table is dead afterwards; releasing twice is an error.</summary>
    public void Release(PageTable table) => throw new NotImplementedException();

    /// <summary>
    /// Appends to an empty table the longest run of cached prefix columns for these tokens, leaving at least one token to
    /// compute.
    /// </summary>
    /// <param name="table">An empty table.</param>
    /// <param name="scope">Who may share.</param>
    /// <param name="tokens">The whole prompt.</param>
    /// <param name="exactOnly">True for lossless requests: exact columns only.</param>
    /// <returns>Tokens adopted, a multiple of the page size.</returns>
    public int Adopt(PageTable table, PrefixScope scope, ReadOnlySpan<int> tokens, bool exactOnly) => throw new NotImplementedException();

    /// <summary>Tokens that <see cref="Adopt"/> would find; changes nothing.</summary>
    public int MatchLength(PrefixScope scope, ReadOnlySpan<int> tokens, bool exactOnly) => throw new NotImplementedException();

    /// <summary>Offers the table's full columns to the prefix cache; those already offered are skipped. Cheap when nothing is new.</summary>
    public void Publish(PageTable table, PrefixScope scope, ReadOnlySpan<int> tokens) => throw new NotImplementedException();

    /// <summary>Drops unreferenced prefix columns, least recently used first, until this many bytes came free or none is left.</summary>
    /// <returns>Bytes freed.</returns>
    public long DropUnreferenced(long bytes) => throw new NotImplementedException();

    /// <summary>Counters for metrics, reports and tests.</summary>
    public KvCacheStatistics Statistics() => throw new NotImplementedException();

    /// <summary>Walks everything and throws if a law is broken (freed equals allocated, reference counts, bytes); for tests and the idle engine.</summary>
    /// <exception cref="InvalidOperationException">A law is broken; the message names it with the values.</exception>
    public void CheckIntegrity() => throw new NotImplementedException();

    /// <inheritdoc/>
    public void Dispose() => throw new NotImplementedException();
}
