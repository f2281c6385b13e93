using Concertina.Compute.KvCache.Memory;
using Concertina.Compute.KvCache.Prefix;

namespace Concertina.Compute.KvCache.Columns;

/// <summary>Counts everything again from page tables and prefix columns, and compares it with what the counters say.</summary>
internal sealed class CacheAudit(UnitTable units, ExtentArena arena, PrefixIndex index, CacheBudget budget, UnitPlaces places)
{
    private readonly Dictionary<UnitHandle, int> _references = [];
    private readonly Dictionary<ushort, long> _paid = [];

    /// <param name="tables">All live tables.</param>
    /// <param name="borrowedBytes">Bytes that an eviction under way holds.</param>
    /// <exception cref="InvalidOperationException">A law is broken; the message names it with the values.</exception>
    public void Check(IReadOnlyList<PageTable> tables, long borrowedBytes)
    {
        foreach (PageTable table in tables)
        {
            CountTable(table);
        }
        HashSet<UnitHandle> tableUnits = [.. _references.Keys];
        foreach (UnitHandle unit in tableUnits)
        {
            Pay(units.AccountOf(unit), units.StrideBytes(unit));
        }
        CheckAccounts();
        HashSet<UnitHandle> prefixUnits = [];
        index.VisitUnits(unit =>
        {
            Count(unit);
            prefixUnits.Add(unit);
        });
        index.CheckIntegrity();
        long liveBytes = 0;
        foreach ((UnitHandle unit, int count) in _references)
        {
            Require(units.Entry(unit).References, count, $"references of {unit}");
            liveBytes += units.StrideBytes(unit);
        }
        Require(units.LiveCount, _references.Count, "live units");
        Require(arena.LiveBytes, liveBytes, "bytes of live units");
        Require(units.AllFormBytes, _references.Keys.Where(HasSlots).Sum(unit => (long)units.StrideBytes(unit)), "bytes of all forms");
        foreach (IGrouping<(byte Keys, byte Values), UnitHandle> form in _references.Keys.Where(HasSlots).GroupBy(Form))
        {
            Require(units.FormBytes(form.Key.Keys, form.Key.Values), form.Sum(unit => (long)units.StrideBytes(unit)), "bytes of one form");
        }
        Require(units.PrefixBytes, prefixUnits.Sum(unit => (long)units.StrideBytes(unit)), "bytes of prefix columns");
        prefixUnits.ExceptWith(tableUnits);
        Require(units.UnreferencedPrefixBytes, prefixUnits.Sum(unit => (long)units.StrideBytes(unit)), "unreferenced prefix bytes");
        Require(budget.ListBytes, tables.Sum(table => table.ListHeapBytes + table.RingHeapBytes), "bytes of page lists outside the arena");
        Require(budget.BorrowedBytes, borrowedBytes, "borrowed bytes");
        long held = budget.HeldBytes(arena.ExtentsInUse);
        if (held > budget.BudgetBytes)
        {
            throw new InvalidOperationException($"KV cache integrity: {held:N0} bytes are held of a budget of {budget.BudgetBytes:N0}.");
        }
    }

    private void Pay(ushort account, long bytes) => _paid[account] = _paid.GetValueOrDefault(account) + bytes;

    private void CheckAccounts()
    {
        for (int account = 0; account < units.Accounts.Count; account++)
        {
            Require(units.Accounts.Bytes((ushort)account), _paid.GetValueOrDefault((ushort)account), $"bytes of account {account}");
        }
    }

    private void CountTable(PageTable table)
    {
        Pay(table.Account, table.ListHeapBytes + table.RingHeapBytes);
        long bytes = 0;
        for (int block = 0; block < table.BlockCount; block++)
        {
            bytes += Count(table.Block(block));
        }
        foreach (UnitHandle ring in table.Rings)
        {
            bytes += Count(ring);
        }
        for (int head = 0; head < table.Owner.Shape.HeadCount; head++)
        {
            for (int i = 0; i < table.UnitCount(head); i++)
            {
                (int Head, int Index) lead = places.Lead(table, head, i);
                Require(table.Unit(lead.Head, lead.Index) == table.Unit(head, i) ? 1 : 0, 1, $"places of {table.Unit(head, i)}");
                bytes += lead == (head, i) ? Count(table.Unit(head, i)) : 0;
            }
        }
        Require(table.UnitBytes, bytes, "bytes of a page table");
        Require(table.TokenCount <= table.ReservedTokens ? 0 : 1, 0, "page tables with more tokens than slots");
    }

    private bool HasSlots(UnitHandle unit) => units.Entry(unit).Kind is not (UnitKind.PageList or UnitKind.QueryRing);

    private (byte Keys, byte Values) Form(UnitHandle unit) => (units.Entry(unit).KeyCodec, units.Entry(unit).ValueCodec);

    private int Count(UnitHandle unit)
    {
        int stride = units.StrideBytes(unit);
        _references[unit] = _references.GetValueOrDefault(unit) + 1;
        return stride;
    }

    private static void Require(long counted, long found, string what)
    {
        if (counted != found)
        {
            throw new InvalidOperationException($"KV cache integrity: {what}: the counter says {counted:N0}, a recount {found:N0}.");
        }
    }
}
