namespace Concertina.Compute.KvCache.Prefix;

/// <summary>A place in the chain of columns: what a walk knows after some columns. The default stands before the first.</summary>
/// <param name="Columns">Columns passed.</param>
/// <param name="Hash">Hash of the last one, or the scope's root.</param>
/// <param name="Node">Identity of the tokens passed; 0 at the root.</param>
/// <param name="Column">Index of the last column, or -1 (0 in the default, where <paramref name="Columns"/> is 0).</param>
/// <param name="Scope">Scope of the walk.</param>
internal readonly record struct PrefixCursor(int Columns, ColumnHash Hash, long Node, int Column, PrefixScope Scope)
{
    public static PrefixCursor Start(PrefixScope scope) => new(0, ColumnHash.Root(scope), 0, -1, scope);
}
