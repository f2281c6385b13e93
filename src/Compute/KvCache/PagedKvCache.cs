using Concertina.Compute.KvCache.Codecs;
using Concertina.Compute.KvCache.Columns;
using Concertina.Compute.KvCache.Memory;
using Concertina.Compute.KvCache.Prefix;
using Concertina.Compute.KvCache.Rungs;
using Concertina.Compute.KvCache.Transcoding;

namespace Concertina.Compute.KvCache;

/// <summary>
/// The paged KV cache of one worker: arena, page tables, codecs, prefix columns, physical byte accounting. Every figure
/// is physical bytes with tables and scratch counted. One thread (the engine's) calls everything but <see cref="Write"/>
/// and attention, which the model runner's threads call during a step.
/// </summary>
public sealed class PagedKvCache : IDisposable
{
    private readonly CacheInterior _inside;
    private readonly List<PageTable> _tables = [];
    private bool _disposed;

    /// <summary>Makes a cache that never uses more than its budget.</summary>
    /// <exception cref="ArgumentException">The budget cannot hold one column and the reserve; the message has the bytes.</exception>
    public PagedKvCache(KvShape shape, KvCacheOptions options)
        : this(shape, options, CacheParts.Lossless(CodecCatalog.ForOpenPages(options)))
    {
    }

    internal PagedKvCache(KvShape shape, KvCacheOptions options, CacheParts parts)
    {
        _inside = new CacheInterior(shape, options, parts);
        Shape = shape;
        MaximumBudgetBytes = options.BudgetBytes;
    }

    /// <summary>Shape of the model it serves.</summary>
    public KvShape Shape { get; }

    /// <summary>All bytes it may use.</summary>
    public long BudgetBytes => _inside.Budget.BudgetBytes;

    /// <summary>The budget it was made with: <see cref="TryResize"/> goes no higher, because the tables were sized for it.</summary>
    public long MaximumBudgetBytes { get; }

    /// <summary>
    /// Part of the budget that belongs to no session: the reserve from which a full arena can still be squeezed, the tables
    /// made once, declared scratch and the rounding of extents. Grows when scratch is declared.
    /// </summary>
    public long TranscodeReserveBytes => BudgetBytes - CommittableBytes;

    /// <summary>
    /// What commitments may add up to: the budget without <see cref="TranscodeReserveBytes"/>. While the sum stays within it,
    /// <see cref="TryReserve"/> succeeds for committed tokens.
    /// </summary>
    public long CommittableBytes => _inside.Budget.CommittableBytes;

    /// <summary>
    /// Physical bytes in use now: tables made once, declared scratch, page lists, and each unit with the slot it takes.
    /// Room of extents in use that holds no unit is <see cref="KvCacheStatistics.FragmentedBytes"/>; both together never
    /// exceed the budget.
    /// </summary>
    public long UsedBytes => _inside.UsedBytes;

    /// <summary>Bytes in use only by prefix columns that no table refers to; reclaimable, except while a kept child is in use.</summary>
    public long UnreferencedPrefixBytes => _inside.Units.UnreferencedPrefixBytes;

    /// <summary>True when a smaller budget gives memory back to the operating system; false where it keeps it until disposal.</summary>
    public bool ReturnsMemory => _inside.Arena.ReturnsMemory;

    /// <summary>
    /// Most physical bytes a sequence of this many tokens can hold at the floor rung, exact parts and its page lists
    /// included: the unit of commitments. Monotonic in tokens; a table's <see cref="PageTable.Bytes"/> never exceeds it.
    /// </summary>
    public long CommitmentBytes(int tokens)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(tokens);
        return CommitmentBytes(tokens, rung: 0, pendingColumns: 0);
    }

    /// <summary>Fewest bytes that one more column of a long sequence is committed at, on the deepest of its rungs.</summary>
    public long LeastColumnBytes => _inside.Columns.Sizes.LeastColumnBytes(Rungs);

    /// <summary>Makes an empty page table; it holds no bytes until slots are reserved.</summary>
    public PageTable CreateTable() => CreateTable(KvAccounts.Nobody);

    /// <summary>The same, for an account that pays for what it will refer to.</summary>
    internal PageTable CreateTable(ushort account)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        var table = new PageTable(this, _inside.Lists, account) { Registration = _tables.Count };
        _tables.Add(table);
        return table;
    }

    /// <summary>
    /// Makes sure that slots for all tokens below <paramref name="tokens"/> exist, dropping unreferenced prefix columns
    /// (least recently used first) if bytes are short. All or nothing.
    /// </summary>
    /// <returns>False when the bytes cannot be had; nothing has changed but dropped columns.</returns>
    public bool TryReserve(PageTable table, int tokens)
    {
        Own(table);
        if (!_inside.Columns.TryGrow(table, KvShape.PagesFor(tokens)))
        {
            return false;
        }
        table.ReservedTokens = Math.Max(table.ReservedTokens, tokens);
        return true;
    }

    /// <summary>Stores K and V of neighbouring rows of one layer; slots are reserved. Rounds them to the open page's 16-bit form. Thread-safe for different tables or layers.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A row has no reserved slot.</exception>
    /// <exception cref="InvalidOperationException">A row lies in a shared page; shared pages are immutable.</exception>
    public void Write(PageTable table, int layer, in KvRows rows)
    {
        Own(table);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)layer, (uint)Shape.LayerCount);
        ArgumentOutOfRangeException.ThrowIfNegative(rows.FirstPosition);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rows.FirstPosition + rows.RowCount, table.ReservedTokens);
        Pages.Write(table, layer, rows);
        _inside.Observations.Add(table, layer, rows);
    }

    /// <summary>Declares all tokens below <paramref name="tokens"/> written (after a step).</summary>
    public void Commit(PageTable table, int tokens)
    {
        Own(table);
        ArgumentOutOfRangeException.ThrowIfLessThan(tokens, table.TokenCount);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(tokens, table.ReservedTokens);
        bool exact = table.ExactTokens == table.TokenCount;
        _inside.Columns.Seal(table, tokens, exact);
        table.TokenCount = tokens;
        table.ExactTokens = exact ? tokens : table.ExactTokens;
    }

    /// <summary>Cuts the sequence to tokens below <paramref name="tokens"/>; whole units beyond are freed. Shared columns are never changed: a cut inside one copies what stays.</summary>
    /// <returns>The tokens that remain; below the request only if a unit cannot be cut there, or the copy's bytes cannot be had (then the caller recomputes from there).</returns>
    public int Truncate(PageTable table, int tokens)
    {
        Own(table);
        ArgumentOutOfRangeException.ThrowIfNegative(tokens);
        return _inside.Truncate(table, tokens);
    }

    /// <summary>Gives back every unit of the table. The table is dead afterwards; releasing twice is an error.</summary>
    /// <exception cref="InvalidOperationException">The table was released before, or belongs to another cache.</exception>
    public void Release(PageTable table)
    {
        Own(table);
        _inside.Evictor.Forget(table);
        _inside.Columns.RemoveBeyond(table, 0);
        PageTable last = _tables[^1];
        _tables[table.Registration] = last;
        last.Registration = table.Registration;
        _tables.RemoveAt(_tables.Count - 1);
        table.IsReleased = true;
        table.TokenCount = table.ReservedTokens = table.ExactTokens = 0;
    }

    /// <summary>
    /// Appends to an empty table the longest run of cached prefix columns for these tokens, leaving at least one token to
    /// compute.
    /// </summary>
    /// <param name="table">An empty table.</param>
    /// <param name="scope">Who may share.</param>
    /// <param name="tokens">The whole prompt.</param>
    /// <param name="deepestRung">Deepest rung a column may have been computed over; 0, for lossless requests: exact columns only.</param>
    /// <returns>Tokens adopted, a multiple of the page size.</returns>
    /// <exception cref="ArgumentException">The table is not empty.</exception>
    public int Adopt(PageTable table, PrefixScope scope, ReadOnlySpan<int> tokens, int deepestRung)
    {
        Own(table);
        if (table.ColumnCount != 0)
        {
            throw new ArgumentException($"Only an empty table adopts a prefix; this one holds {table.TokenCount} tokens.", nameof(table));
        }
        return _inside.Prefix.Adopt(table, scope, tokens, deepestRung);
    }

    /// <summary>Tokens that <see cref="Adopt"/> would find; changes nothing.</summary>
    public int MatchLength(PrefixScope scope, ReadOnlySpan<int> tokens, int deepestRung) =>
        Live()._inside.Prefix.MatchLength(scope, tokens, deepestRung);

    /// <summary>Offers the table's full columns to the prefix cache; those already offered are skipped. Cheap when nothing is new.</summary>
    public void Publish(PageTable table, PrefixScope scope, ReadOnlySpan<int> tokens)
    {
        Own(table);
        _inside.Prefix.Publish(table, scope, tokens);
    }

    /// <summary>Chained hashes of the prompt's full columns, first 64 bits each: what routing compares.</summary>
    /// <param name="scope">Who may share.</param>
    /// <param name="tokens">The whole prompt.</param>
    /// <param name="hashes">Receives one hash per full column, as far as it reaches.</param>
    /// <returns>Hashes written.</returns>
    public static int PrefixHashes(PrefixScope scope, ReadOnlySpan<int> tokens, Span<ulong> hashes) =>
        ColumnHash.Chain(scope, tokens, hashes);

    /// <summary>Drops unreferenced prefix columns, least recently used first, until this many bytes came free or none is left.</summary>
    /// <returns>Bytes freed.</returns>
    public long DropUnreferenced(long bytes) => Live()._inside.Columns.DropUnreferenced(bytes);

    /// <summary>Changes the budget; a smaller one drops unreferenced prefix columns, closes fragmented extents and gives their memory back.</summary>
    /// <param name="budgetBytes">New budget, at most <see cref="MaximumBudgetBytes"/>.</param>
    /// <returns>False, and the budget is as before, when what is in use does not fit.</returns>
    public bool TryResize(long budgetBytes)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(budgetBytes, MaximumBudgetBytes);
        _inside.RequireRoom(BudgetBytes - budgetBytes);
        _inside.Evictor.Cancel();
        if (!_inside.Columns.TryShrink(budgetBytes))
        {
            return false;
        }
        _inside.Budget.Resize(budgetBytes);
        _inside.Arena.DiscardFree();
        return true;
    }

    /// <summary>Counters for metrics, reports and tests.</summary>
    public KvCacheStatistics Statistics() => _inside.Statistics();

    /// <summary>Walks everything and throws if a law is broken (freed equals allocated, reference counts, bytes). Takes as long as there are units: for tests and diagnosis, not between steps.</summary>
    /// <exception cref="InvalidOperationException">A law is broken; the message names it with the values.</exception>
    public void CheckIntegrity() => new CacheAudit(Live()._inside.Units, _inside.Arena, _inside.Index, _inside.Budget, _inside.Columns.Places).Check(_tables, _inside.Evictor.JobBytes);

    /// <summary>
    /// Gives all memory back, live tables or not: whoever uses the cache (engine, model runner) has ended before. Later calls
    /// throw <see cref="ObjectDisposedException"/>; the counters stay readable.
    /// </summary>
    public void Dispose()
    {
        _disposed = true;
        _inside.Dispose();
    }

    /// <summary>Reads and writes pages during a step.</summary>
    internal PageAccess Pages => _inside.Pages;

    /// <summary>The codecs its units may have.</summary>
    internal CodecSet Codecs => _inside.Codecs;

    /// <summary>The rungs its tables may be moved to, lossless first.</summary>
    internal RungFormats Rungs => _inside.Rungs;

    /// <summary>Its parts, for squeezing and tests.</summary>
    internal CacheInterior Interior => _inside;

    /// <summary>
    /// Most physical bytes a sequence holds on a rung, the exact parts and columns on their way included.
    /// </summary>
    /// <param name="tokens">Tokens of the sequence.</param>
    /// <param name="rung">Index of the rung.</param>
    /// <param name="pendingColumns">Columns behind the recent window that may still wait to be moved.</param>
    internal long CommitmentBytes(int tokens, int rung, int pendingColumns) =>
        _inside.Columns.Sizes.BytesFor(KvShape.PagesFor(tokens), Rungs[rung], pendingColumns) + _inside.RingBytes(tokens, rung);

    /// <summary>Bytes a sequence settles at on a rung, when everything that may be was squeezed and evicted: at rest at exactly this length, or at most.</summary>
    internal long SettledBytes(int tokens, int rung, bool atRest = false) => _inside.Columns.Sizes.SettledBytes(
        KvShape.PagesFor(tokens),
        atRest ? Squeezer.ExactColumns(tokens, Rungs[rung].Page.Shape.PageCount) : ColumnStore.ExactColumns + Rungs[rung].UnalignedColumns,
        Rungs[rung]) + _inside.RingBytes(tokens, rung);

    /// <summary>Moves the next unit of a table towards its rung, or does the next slice of its eviction.</summary>
    internal SqueezeStep StepTowardsRung(PageTable table)
    {
        Own(table);
        return _inside.Step(table);
    }

    /// <summary>Counts scratch that lives as long as the cache.</summary>
    /// <exception cref="ArgumentException">It leaves no room for a column.</exception>
    internal void DeclareScratch(long bytes)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        _inside.Budget.AddFixed(bytes);
        _inside.RequireRoom(0);
    }

    private PagedKvCache Live() => !_disposed ? this : throw new ObjectDisposedException(nameof(PagedKvCache));

    /// <summary>Throws unless a table is a live one of this cache.</summary>
    internal void Own(PageTable table)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentNullException.ThrowIfNull(table);
        if (table.Owner != this || table.IsReleased)
        {
            throw new InvalidOperationException(
                table.IsReleased ? "The page table was released before." : "The page table belongs to another cache.");
        }
    }
}
