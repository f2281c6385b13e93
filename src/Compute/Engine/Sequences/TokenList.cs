namespace Concertina.Compute.Engine;

/// <summary>
/// Token ids of one sequence. Written by the engine's thread while a generation is queued or runs, else under the
/// sequence's gate; only the count may be read at any time.
/// </summary>
internal sealed class TokenList
{
    private int[] _items = [];
    private int _count;

    public int Count => Volatile.Read(ref _count);

    public ReadOnlySpan<int> Span => _items.AsSpan(0, _count);

    public int this[int index] => Span[index];

    public void EnsureCapacity(int tokens)
    {
        if (_items.Length < tokens)
        {
            Array.Resize(ref _items, tokens);
        }
    }

    public void Add(int token)
    {
        if (_count == _items.Length)
        {
            EnsureCapacity(Math.Max(64, _count * 2));
        }
        _items[_count] = token;
        Volatile.Write(ref _count, _count + 1);
    }

    /// <summary>Forgets what lies beyond; no effect on a shorter list.</summary>
    public void Cut(int tokens) => Volatile.Write(ref _count, Math.Min(_count, tokens));

    public void Replace(ReadOnlySpan<int> tokens)
    {
        EnsureCapacity(tokens.Length);
        tokens.CopyTo(_items);
        Volatile.Write(ref _count, tokens.Length);
    }
}
