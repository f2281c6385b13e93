using System.Numerics;

namespace Concertina.Compute.KvCache.Columns;

/// <summary>What a page table takes outside the arena: its object, the directory of its blocks, the lengths of its lists.</summary>
internal static class TableHeap
{
    /// <summary>Blocks that the first directory of a table has room for.</summary>
    public const int FirstDirectoryLength = 4;

    private const int ObjectBytes = 320;

    /// <summary>Most bytes of a table with this many blocks; monotonic.</summary>
    public static long BytesFor(int headCount, int blocks) => Bytes(headCount, DirectoryLength(blocks));

    /// <summary>Bytes of a table whose directory has this length.</summary>
    public static long Bytes(int headCount, int directoryLength) =>
        ObjectBytes + (2L * headCount * sizeof(int)) + ((long)directoryLength * sizeof(ulong));

    /// <summary>Length of a directory of so many blocks.</summary>
    public static int DirectoryLength(int blocks) => Math.Max(FirstDirectoryLength, (int)BitOperations.RoundUpToPowerOf2((uint)blocks));
}
