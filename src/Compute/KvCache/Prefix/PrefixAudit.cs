namespace Concertina.Compute.KvCache.Prefix;

/// <summary>Recounts the columns of a prefix index.</summary>
internal static class PrefixAudit
{
    private const int None = -1;

    /// <summary>Checks parents, children and the number of columns.</summary>
    /// <param name="columns">All columns, used and free.</param>
    /// <param name="count">Columns that the index counts.</param>
    /// <exception cref="InvalidOperationException">A parent is missing or a count is wrong.</exception>
    public static void Check(ReadOnlySpan<PrefixColumn> columns, int count)
    {
        int[] children = new int[columns.Length];
        int used = 0;
        for (int column = 0; column < columns.Length; column++)
        {
            PrefixColumn entry = columns[column];
            if (!entry.Used)
            {
                continue;
            }
            used++;
            if (entry.Parent != None)
            {
                children[entry.Parent]++;
                if (!columns[entry.Parent].Used || columns[entry.Parent].Node != entry.ParentNode)
                {
                    throw new InvalidOperationException($"Prefix column {column} is kept, but its parent {entry.Parent} was dropped.");
                }
            }
        }
        for (int column = 0; column < columns.Length; column++)
        {
            if (columns[column].Used && columns[column].Children != children[column])
            {
                throw new InvalidOperationException(
                    $"Prefix column {column} counts {columns[column].Children} children and has {children[column]}.");
            }
        }
        if (used != count)
        {
            throw new InvalidOperationException($"The prefix index counts {count} columns and holds {used}.");
        }
    }
}
