using System.Runtime.CompilerServices;
using Concertina.Compute.Attention;
using Concertina.Compute.Attention.Folds;
using Concertina.Compute.Attention.Lanes;
using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Codecs;
using Concertina.Compute.KvCache.Memory;

namespace Concertina.Compute.Tests.KvCache.Codecs;

/// <summary>One encoded head page outside any cache, and attention over it.</summary>
internal sealed unsafe class Page
{
    private readonly byte[] _bytes;
    private readonly UnitShape _shape;

    public Page(IKvCodec codec, int headDim, float[] keys, float[] values, byte garbage = 0, int start = 0)
    {
        Start = start;
        Codec = codec;
        HeadDim = headDim;
        _shape = UnitShape.For(codec.Kind, new KvShape(1, 1, 1, headDim), 1);
        KeyBytes = codec.PartBytes(KvSide.Keys, _shape);
        int valueBytes = codec.PartBytes(KvSide.Values, _shape);
        _bytes = GC.AllocateArray<byte>(KeyBytes + valueBytes + Guard, pinned: true);
        Array.Fill(_bytes, garbage);
        Finite = codec.Encode(KvSide.Keys, keys, new PartSite(_shape, 0, Start), _bytes.AsSpan(0, KeyBytes))
            & codec.Encode(KvSide.Values, values, new PartSite(_shape, 0, Start), _bytes.AsSpan(KeyBytes, valueBytes));
        Slots = keys.Length / headDim;
    }

    /// <summary>Bytes behind the page that nobody may write.</summary>
    public const int Guard = 64;

    public IKvCodec Codec { get; }

    public int HeadDim { get; }

    public int KeyBytes { get; }

    public int Slots { get; }

    public int Start { get; }

    public bool Finite { get; }

    public Span<byte> Bytes => _bytes;

    public static UnitShape Shape(int headDim) => UnitShape.HeadPage(new KvShape(1, 1, 1, headDim));

    public float[] Decode(KvSide side)
    {
        float[] rows = new float[Slots * HeadDim];
        Codec.Decode(side, side == KvSide.Keys ? _bytes.AsSpan(0, KeyBytes) : _bytes.AsSpan(KeyBytes), new PartSite(_shape, 0, Start), rows);
        return rows;
    }

    /// <summary>Attention of query rows at given positions over neighbouring pages: values / sum, [rows, headDim].</summary>
    public static float[] Attend(IReadOnlyList<Page> pages, float[] queries, int[] positions, VectorPath path)
    {
        int headDim = pages[0].HeadDim;
        var scratch = new AttentionScratch(positions.Length, headDim, new CodecSet(pages.Select(page => page.Codec).DistinctBy(codec => codec.Id)));
        RowBlock block = Block(scratch, headDim, queries, positions);
        for (int i = 0; i < pages.Count; i++)
        {
            UnitView view = pages[i].View();
            pages[i].Codec.AttendWith(pages[i].Codec, path).Attend(&view, 1, ref block);
        }
        float[] outputs = new float[queries.Length];
        for (int row = 0; row < positions.Length; row++)
        {
            PartialMerge.Normalise(block.Sum[row], block.Values + (row * headDim), outputs.AsSpan(row * headDim, headDim));
        }
        GC.KeepAlive(scratch);
        return outputs;
    }

    /// <summary>Bytes that attention allocates when it has run before.</summary>
    public long AllocatedByAttend(float[] queries, int[] positions, VectorPath path)
    {
        var scratch = new AttentionScratch(positions.Length, HeadDim, new CodecSet([Codec]));
        RowBlock block = Block(scratch, HeadDim, queries, positions);
        IUnitAttend attend = Codec.AttendWith(Codec, path);
        UnitView view = View();
        attend.Attend(&view, 1, ref block);
        // A collection that another test causes counts the rest of this thread's allocation buffer, so once does not tell.
        long allocated = long.MaxValue;
        for (int run = 0; run < 10; run++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            attend.Attend(&view, 1, ref block);
            allocated = Math.Min(allocated, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        GC.KeepAlive(scratch);
        return allocated;
    }

    private static RowBlock Block(AttentionScratch scratch, int headDim, float[] queries, int[] positions)
    {
        RowBlock block = scratch.Block(positions.Length);
        block.QueriesAreSmall = queries.All(query => Math.Abs(query) < 32768f);
        new Span<float>(block.Queries, block.PaddedRows * headDim).Clear();
        queries.CopyTo(new Span<float>(block.Queries, queries.Length));
        for (int i = 0; i < block.PaddedRows * headDim && block.PaddedRows <= 4; i++)
        {
            block.WideQueries[i] = block.Queries[i] * 5.192296858534828e33f;
        }
        for (int row = 0; row < block.PaddedRows; row++)
        {
            block.Positions[row] = positions[Math.Min(row, positions.Length - 1)];
            block.Maximum[row] = float.NegativeInfinity;
            block.Sum[row] = 0;
        }
        new Span<float>(block.Values, block.PaddedRows * headDim).Clear();
        return block;
    }

    private UnitView View() => new()
    {
        Keys = (byte*)Unsafe.AsPointer(ref _bytes[0]),
        Values = (byte*)Unsafe.AsPointer(ref _bytes[KeyBytes]),
        KeyData = Codec.Data(KvSide.Keys, 0),
        ValueData = Codec.Data(KvSide.Values, 0),
        Start = Start,
        Slots = KvShape.PageTokens,
        IsFinite = Finite,
    };
}
