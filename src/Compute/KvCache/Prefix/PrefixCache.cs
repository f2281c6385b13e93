using Concertina.Compute.KvCache.Columns;
using Concertina.Compute.KvCache.Memory;

namespace Concertina.Compute.KvCache.Prefix;

/// <summary>Moves columns between page tables and the index: adopt, match, publish.</summary>
internal sealed class PrefixCache(PrefixIndex index, UnitTable units, ColumnStore columns, ColumnCuts cuts)
{
    public long HitTokens { get; private set; }

    public long MissTokens { get; private set; }

    /// <summary>
    /// Appends the longest run of kept columns that are no worse than a rung, leaving at least one token to compute; rung 0
    /// takes exact columns only.
    /// </summary>
    /// <returns>Tokens adopted.</returns>
    public int Adopt(PageTable table, PrefixScope scope, ReadOnlySpan<int> tokens, int deepestRung, bool counts = true)
    {
        PrefixCursor at = PrefixCursor.Start(scope);
        int exactColumns = 0;
        while (TryStep(at, tokens, deepestRung, out PrefixCursor next))
        {
            ReadOnlySpan<UnitHandle> column = index.Units(next.Column);
            foreach (UnitHandle unit in column)
            {
                units.Retain(unit);
            }
            if (!columns.TryAppend(table, column))
            {
                break;
            }
            at = next;
            table.ReachedRung = Math.Max(table.ReachedRung, index.RungOf(at.Column));
            exactColumns += exactColumns == at.Columns - 1 && index.IsExact(at.Column) ? 1 : 0;
        }
        int adopted = at.Columns * KvShape.PageTokens;
        table.TokenCount = adopted;
        table.ReservedTokens = adopted;
        table.ExactTokens = exactColumns * KvShape.PageTokens;
        table.Published = at;
        HitTokens += counts ? adopted : 0;
        MissTokens += counts ? tokens.Length - adopted : 0;
        return adopted;
    }

    /// <summary>Tokens that <see cref="Adopt"/> would find.</summary>
    public int MatchLength(PrefixScope scope, ReadOnlySpan<int> tokens, int deepestRung)
    {
        PrefixCursor at = PrefixCursor.Start(scope);
        while (TryStep(at, tokens, deepestRung, out PrefixCursor next))
        {
            at = next;
        }
        return at.Columns * KvShape.PageTokens;
    }

    /// <summary>
    /// Offers the full columns. Where an exact column of the same tokens is kept and the table's own is exact too, both hold
    /// the same bits (the row law), so the table switches to the kept one and frees its own.
    /// </summary>
    public void Publish(PageTable table, PrefixScope scope, ReadOnlySpan<int> tokens)
    {
        PrefixCursor at = table.Published;
        if (at.Columns == 0 || at.Scope != scope || !index.IsCurrent(at))
        {
            at = PrefixCursor.Start(scope);
        }
        int full = Math.Min(table.TokenCount, tokens.Length) / KvShape.PageTokens;
        while (at.Columns < full && cuts.IsOpenFormat(table, at.Columns) && TryPublish(table, at, tokens.Slice(at.Columns * KvShape.PageTokens), out PrefixCursor next))
        {
            at = next;
        }
        table.Published = at;
    }

    private bool TryStep(PrefixCursor at, ReadOnlySpan<int> tokens, int deepestRung, out PrefixCursor next)
    {
        next = at;
        int from = at.Columns * KvShape.PageTokens;
        if (from + KvShape.PageTokens >= tokens.Length)
        {
            return false;
        }
        return index.TryNext(at, tokens[from..], exact: true, out next)
            || (deepestRung > 0 && index.TryNext(at, tokens[from..], exact: false, out next, deepestRung));
    }

    private bool TryPublish(PageTable table, PrefixCursor at, ReadOnlySpan<int> tokens, out PrefixCursor next)
    {
        bool exact = table.ExactTokens >= (at.Columns + 1) * KvShape.PageTokens;
        if (index.TryNext(at, tokens, exact: true, out next))
        {
            if (exact)
            {
                Switch(table, at.Columns, index.Units(next.Column));
            }
            return true;
        }
        if (!exact && index.TryNext(at, tokens, exact: false, out next))
        {
            return true;
        }
        Span<UnitHandle> own = stackalloc UnitHandle[columns.HeadCount];
        for (int head = 0; head < own.Length; head++)
        {
            own[head] = table.UnitOf(head, at.Columns);
        }
        return index.TryAdd(at, tokens, new ColumnUnits(own, exact, exact ? 0 : table.ReachedRung), out next);
    }

    private void Switch(PageTable table, int column, ReadOnlySpan<UnitHandle> kept)
    {
        for (int head = 0; head < kept.Length; head++)
        {
            UnitHandle own = table.UnitOf(head, column);
            if (own == kept[head])
            {
                continue;
            }
            units.Retain(kept[head]);
            table.Replace(head, table.IndexOf(head, column), kept[head]);
            units.Release(own);
        }
    }
}
