using System.Runtime.CompilerServices;
using Concertina.Compute.Attention;
using Concertina.Compute.Attention.Folds;
using Concertina.Compute.Attention.Lanes;
using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Codecs;
using Concertina.Compute.KvCache.Memory;

namespace Concertina.Compute.Tests.KvCache.Codecs.Fourier;

/// <summary>One encoded segment outside any cache, and attention over neighbouring ones.</summary>
internal sealed unsafe class Segment
{
    private const int Guard = 64;

    private readonly byte[] _bytes;
    private readonly int _head;
    private readonly UnitShape _shape;

    /// <param name="codec">Codec of both sides.</param>
    /// <param name="headDim">Channels.</param>
    /// <param name="rows">Keys and values, [S, headDim].</param>
    /// <param name="start">Position of slot 0.</param>
    /// <param name="head">Head.</param>
    public Segment(IKvCodec codec, int headDim, (float[] Keys, float[] Values) rows, int start = 0, int head = 0)
    {
        (Codec, HeadDim, Start, _head) = (codec, headDim, start, head);
        _shape = UnitShape.Segment(new KvShape(1, head + 1, 1, headDim), codec.PageCount);
        KeyBytes = codec.PartBytes(KvSide.Keys, _shape);
        int valueBytes = codec.PartBytes(KvSide.Values, _shape);
        _bytes = GC.AllocateArray<byte>(KeyBytes + valueBytes + Guard, pinned: true);
        Array.Fill(_bytes, (byte)0xAA);
        var site = new PartSite(_shape, head, start);
        Finite = codec.Encode(KvSide.Keys, rows.Keys, site, _bytes.AsSpan(0, KeyBytes))
            & codec.Encode(KvSide.Values, rows.Values, site, _bytes.AsSpan(KeyBytes, valueBytes));
        Assert.Equal(-1, _bytes.AsSpan(_bytes.Length - Guard).IndexOfAnyExcept((byte)0xAA));
    }

    public IKvCodec Codec { get; }

    public int HeadDim { get; }

    public int Start { get; }

    public int KeyBytes { get; }

    public bool Finite { get; }

    public ReadOnlySpan<byte> Part(KvSide side) => side == KvSide.Keys ? _bytes.AsSpan(0, KeyBytes) : _bytes.AsSpan(KeyBytes..^Guard);

    /// <summary>Rows of a page, [64, headDim].</summary>
    public float[] Decode(KvSide side, int page)
    {
        float[] rows = new float[KvShape.PageTokens * HeadDim];
        Codec.Decode(side, Part(side), new PartSite(_shape, _head, Start) { Page = page }, rows);
        return rows;
    }

    /// <summary>All rows, [S, headDim].</summary>
    public float[] Decode(KvSide side) => [.. Enumerable.Range(0, Codec.PageCount).SelectMany(page => Decode(side, page))];

    /// <summary>Attention over neighbouring segments, in one run: values / sum, [rows, headDim].</summary>
    public static float[] Attend(IReadOnlyList<Segment> segments, (float[] Queries, int[] Positions) rows, VectorPath path)
    {
        Segment first = segments[0];
        var scratch = new AttentionScratch(rows.Positions.Length, first.HeadDim, new CodecSet([first.Codec]));
        RowBlock block = Block(scratch, first.HeadDim, rows);
        UnitView[] views = [.. segments.SelectMany(segment => segment.Views())];
        fixed (UnitView* pinned = views)
        {
            first.Codec.AttendWith(first.Codec, path).Attend(pinned, views.Length, ref block);
        }
        float[] outputs = new float[rows.Queries.Length];
        for (int row = 0; row < rows.Positions.Length; row++)
        {
            PartialMerge.Normalise(
                block.Sum[row], block.Values + (row * first.HeadDim), outputs.AsSpan(row * first.HeadDim, first.HeadDim));
        }
        GC.KeepAlive(scratch);
        return outputs;
    }

    /// <summary>Bytes that attention allocates when it has run before.</summary>
    public long AllocatedByAttend((float[] Queries, int[] Positions) rows)
    {
        var scratch = new AttentionScratch(rows.Positions.Length, HeadDim, new CodecSet([Codec]));
        RowBlock block = Block(scratch, HeadDim, rows);
        IUnitAttend attend = Codec.AttendWith(Codec, VectorPaths.Best);
        UnitView[] views = Views();
        // A collection that another test causes counts the rest of this thread's allocation buffer, so once does not tell.
        long allocated = long.MaxValue;
        fixed (UnitView* pinned = views)
        {
            for (int run = 0; run < 10; run++)
            {
                long before = GC.GetAllocatedBytesForCurrentThread();
                attend.Attend(pinned, views.Length, ref block);
                allocated = Math.Min(allocated, GC.GetAllocatedBytesForCurrentThread() - before);
            }
        }
        GC.KeepAlive(scratch);
        return allocated;
    }

    private UnitView[] Views()
    {
        var views = new UnitView[Codec.PageCount];
        for (int page = 0; page < views.Length; page++)
        {
            views[page] = new UnitView
            {
                Keys = (byte*)Unsafe.AsPointer(ref _bytes[0]),
                Values = (byte*)Unsafe.AsPointer(ref _bytes[KeyBytes]),
                KeyData = Codec.Data(KvSide.Keys, _head),
                ValueData = Codec.Data(KvSide.Values, _head),
                Start = Start + (page * KvShape.PageTokens),
                Page = page,
                Slots = KvShape.PageTokens,
                IsFinite = Finite,
            };
        }
        return views;
    }

    private static RowBlock Block(AttentionScratch scratch, int headDim, (float[] Queries, int[] Positions) rows)
    {
        RowBlock block = scratch.Block(rows.Positions.Length);
        block.QueriesAreSmall = true;
        new Span<float>(block.Queries, block.PaddedRows * headDim).Clear();
        rows.Queries.CopyTo(new Span<float>(block.Queries, rows.Queries.Length));
        for (int i = 0; i < block.PaddedRows * headDim && block.PaddedRows <= 4; i++)
        {
            block.WideQueries[i] = block.Queries[i] * 5.192296858534828e33f;
        }
        for (int row = 0; row < block.PaddedRows; row++)
        {
            block.Positions[row] = rows.Positions[Math.Min(row, rows.Positions.Length - 1)];
            block.Maximum[row] = float.NegativeInfinity;
            block.Sum[row] = 0;
        }
        new Span<float>(block.Values, block.PaddedRows * headDim).Clear();
        return block;
    }
}
