using System.Runtime.CompilerServices;
using Concertina.Compute.KvCache.Codecs;

namespace Concertina.Compute.Attention;

/// <summary>One worker's buffers, in pinned memory, aligned to cache lines.</summary>
internal sealed unsafe class AttentionScratch
{
    private const int LineBytes = 64;
    private const int LineFloats = 16;
    private const int PageTokens = KvCache.KvShape.PageTokens;
    private const int FusedRows = 4;

    private readonly float[] _floats;
    private readonly byte[] _codecBytes;
    private readonly int[] _integers;
    private readonly UnitView[] _views;
    private readonly RowBlock _block;

    public AttentionScratch(int blockRows, int headDim, CodecSet codecs)
    {
        int rows = Round(blockRows, FusedRows);
        int keyBytes = CodecBytes(codecs, KvSide.Keys, rows, headDim);
        _codecBytes = GC.AllocateArray<byte>(keyBytes + CodecBytes(codecs, KvSide.Values, rows, headDim) + LineBytes, pinned: true);
        _floats = GC.AllocateArray<float>((int)FloatCount(blockRows, headDim), pinned: true);
        _integers = GC.AllocateArray<int>(2 * Round(rows, LineFloats), pinned: true);
        _views = GC.AllocateArray<UnitView>(AttentionPlan.SplitPages, pinned: true);
        float* next = (float*)Unsafe.AsPointer(ref _floats[0]);
        next += ((LineBytes - ((long)next & (LineBytes - 1))) & (LineBytes - 1)) / sizeof(float);
        _block = new RowBlock { HeadDim = headDim };
        _block.Queries = Take(ref next, rows * headDim);
        _block.WideQueries = Take(ref next, FusedRows * headDim);
        _block.Values = Take(ref next, rows * headDim);
        TotalValues = Take(ref next, rows * headDim);
        _block.Scores = Take(ref next, rows * PageTokens);
        _block.Tile = Take(ref next, headDim * PageTokens);
        _block.Factors = Take(ref next, rows);
        _block.Maximum = Take(ref next, rows);
        _block.Sum = Take(ref next, rows);
        TotalMaximum = Take(ref next, rows);
        TotalSum = Take(ref next, rows);
        byte* bytes = (byte*)Unsafe.AsPointer(ref _codecBytes[0]);
        bytes += (LineBytes - ((long)bytes & (LineBytes - 1))) & (LineBytes - 1);
        _block.KeyScratch = bytes;
        _block.ValueScratch = bytes + keyBytes;
        _block.Positions = (int*)Unsafe.AsPointer(ref _integers[0]);
        _block.Visible = _block.Positions + Round(rows, LineFloats);
    }

    /// <summary>Partial of all splits so far, per row.</summary>
    public float* TotalMaximum { get; }

    public float* TotalSum { get; }

    public float* TotalValues { get; }

    /// <summary>Units of the present split.</summary>
    public UnitView* Views => (UnitView*)Unsafe.AsPointer(ref _views[0]);

    public static long BytesFor(int blockRows, int headDim, CodecSet codecs) =>
        (FloatCount(blockRows, headDim) * sizeof(float)) + (2L * Round(blockRows + FusedRows, LineFloats) * sizeof(int))
        + (AttentionPlan.SplitPages * sizeof(UnitView)) + LineBytes
        + CodecBytes(codecs, KvSide.Keys, Round(blockRows, FusedRows), headDim)
        + CodecBytes(codecs, KvSide.Values, Round(blockRows, FusedRows), headDim);

    /// <summary>The buffers for a block of rows; padding rows have zero queries.</summary>
    public RowBlock Block(int rowCount)
    {
        RowBlock block = _block;
        block.RowCount = rowCount;
        block.PaddedRows = rowCount < FusedRows ? rowCount : Round(rowCount, FusedRows);
        return block;
    }

    private static int CodecBytes(CodecSet codecs, KvSide side, int rows, int headDim) =>
        Round(codecs.BlockScratchBytes(side, rows, headDim), LineBytes);

    private static long FloatCount(int blockRows, int headDim)
    {
        long rows = Round(blockRows, FusedRows);
        return (rows * ((3L * headDim) + PageTokens)) + ((long)headDim * (PageTokens + FusedRows))
            + (5L * Round((int)rows, LineFloats)) + LineFloats;
    }

    private static float* Take(ref float* next, int count)
    {
        float* taken = next;
        next += Round(count, LineFloats);
        return taken;
    }

    private static int Round(int count, int multiple) => (count + multiple - 1) / multiple * multiple;
}
