using System.Numerics;
using System.Runtime.CompilerServices;

namespace Concertina.Compute.KvCache.Eviction;

/// <summary>How far a table was evicted how thoroughly: columns covered by jobs that kept one in 2, 4, 8 or more, element by element.</summary>
[InlineArray(Kinds)]
internal struct EvictionReach
{
    private const int Kinds = 4;

    private int _first;

    /// <summary>All of it in 16 bits each: contexts of up to four million tokens.</summary>
    public long Packed
    {
        readonly get
        {
            long packed = 0;
            for (int kind = 0; kind < Kinds; kind++)
            {
                packed |= (long)Math.Min(this[kind], ushort.MaxValue) << (16 * kind);
            }
            return packed;
        }
        set
        {
            for (int kind = 0; kind < Kinds; kind++)
            {
                this[kind] = (ushort)(value >> (16 * kind));
            }
        }
    }

    /// <summary>A job that kept one in so many has covered the columns below a count.</summary>
    public void Cover(int keepOneIn, int columns)
    {
        int kind = Math.Clamp(BitOperations.Log2((uint)keepOneIn) - 1, 0, Kinds - 1);
        this[kind] = Math.Max(this[kind], columns);
    }

    /// <summary>Columns beyond a count are gone.</summary>
    public void Cut(int columns)
    {
        for (int kind = 0; kind < Kinds; kind++)
        {
            this[kind] = Math.Min(this[kind], columns);
        }
    }

    /// <summary>One in how many was kept of a column: the most thorough job counts; null: no finished job has covered it.</summary>
    public readonly int? KeptOneIn(int column)
    {
        for (int kind = Kinds - 1; kind >= 0; kind--)
        {
            if (column < this[kind])
            {
                return 2 << kind;
            }
        }
        return null;
    }
}
