using System.Runtime.CompilerServices;

namespace Concertina.Compute.KvCache.Codecs.CommVq.Books;

/// <summary>Zeroed floats that never move, aligned to cache lines; they live as long as this object.</summary>
internal sealed unsafe class PinnedTable
{
    private const int LineBytes = 64;

    private readonly float[] _array;

    public PinnedTable(long count)
    {
        Count = count;
        _array = GC.AllocateArray<float>(checked((int)count) + (LineBytes / sizeof(float)), pinned: true);
        float* first = (float*)Unsafe.AsPointer(ref _array[0]);
        Pointer = first + (((LineBytes - ((long)first & (LineBytes - 1))) & (LineBytes - 1)) / sizeof(float));
    }

    public long Count { get; }

    public float* Pointer { get; }

    /// <summary>All of it.</summary>
    public Span<float> Span => new(Pointer, (int)Count);

    /// <summary>A piece of the table.</summary>
    public Span<float> Slice(long start, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start + length, Count);
        return new Span<float>(Pointer + start, length);
    }
}
