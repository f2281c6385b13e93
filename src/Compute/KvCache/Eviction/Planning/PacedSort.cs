namespace Concertina.Compute.KvCache.Eviction.Planning;

/// <summary>
/// Sorts numbers by their upper 32 bits in pieces of a bounded number of moves, so that a long list can be sorted between
/// steps. Equal ones keep their order: three passes over digits of 11 bits, the least significant first.
/// </summary>
internal sealed unsafe class PacedSort
{
    private const int DigitBits = 11;
    private const int Digits = 3;
    private const int FirstBit = 32;

    private readonly int[] _next = new int[1 << DigitBits];
    private ulong* _from;
    private ulong* _to;
    private int _count;
    private int _digit;
    private int _at;
    private bool _counted;

    /// <summary>Heap bytes it keeps.</summary>
    public static long FixedBytes => sizeof(int) * (1L << DigitBits);

    /// <summary>True when <see cref="Sorted"/> holds the order.</summary>
    public bool IsDone => _digit == Digits;

    /// <summary>The numbers in order, once done: in one of the two places given.</summary>
    public ulong* Sorted => _from;

    /// <summary>Starts a list.</summary>
    /// <param name="numbers">The list.</param>
    /// <param name="spare">Room for as many.</param>
    /// <param name="count">How many.</param>
    public void Begin(ulong* numbers, ulong* spare, int count)
    {
        _from = numbers;
        _to = spare;
        _count = count;
        (_digit, _at, _counted) = (0, 0, false);
        _next.AsSpan().Clear();
    }

    /// <summary>Goes on.</summary>
    /// <param name="most">Most numbers looked at.</param>
    /// <returns>Numbers looked at; fewer than allowed only when done.</returns>
    public int Advance(int most)
    {
        int done = 0;
        while (done < most && !IsDone)
        {
            int end = Math.Min(_count, _at + most - done);
            done += end - _at;
            if (_counted)
            {
                Move(end);
            }
            else
            {
                Count(end);
            }
            _at = end;
            if (_at == _count)
            {
                Pass();
            }
        }
        return done;
    }

    private void Count(int end)
    {
        for (int i = _at; i < end; i++)
        {
            _next[Digit(_from[i])]++;
        }
    }

    private void Move(int end)
    {
        for (int i = _at; i < end; i++)
        {
            _to[_next[Digit(_from[i])]++] = _from[i];
        }
    }

    // From counts to places, or from one digit to the next.
    private void Pass()
    {
        _at = 0;
        if (!_counted)
        {
            int place = 0;
            foreach (ref int next in _next.AsSpan())
            {
                (next, place) = (place, place + next);
            }
            _counted = true;
            return;
        }
        ulong* sorted = _to;
        _to = _from;
        _from = sorted;
        _digit++;
        _next.AsSpan().Clear();
        _counted = false;
    }

    private int Digit(ulong number) => (int)(number >> (FirstBit + (_digit * DigitBits))) & ((1 << DigitBits) - 1);
}
