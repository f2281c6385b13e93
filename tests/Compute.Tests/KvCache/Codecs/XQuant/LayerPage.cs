using System.Runtime.CompilerServices;
using Concertina.Compute.Attention;
using Concertina.Compute.Attention.Folds;
using Concertina.Compute.Attention.Lanes;
using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Codecs;
using Concertina.Compute.KvCache.Codecs.XQuant;
using Concertina.Compute.KvCache.Memory;

namespace Concertina.Compute.Tests.KvCache.Codecs.XQuant;

/// <summary>One encoded layer page outside any cache, and attention over neighbouring ones.</summary>
internal sealed unsafe class LayerPage
{
    private const int Guard = 64;
    private const float WideQuery = 5.192296858534828e33f;

    private readonly byte[] _bytes;
    private readonly ushort[] _offsets;
    private readonly KvShape _shape;

    /// <param name="codec">Codec of both sides.</param>
    /// <param name="shape">Shape of the cache.</param>
    /// <param name="rows">Keys and values, [KV heads, 64, headDim].</param>
    /// <param name="start">Position of slot 0.</param>
    /// <param name="offsets">Null when positions have no gaps.</param>
    /// <param name="layer">Layer.</param>
    public LayerPage(IKvCodec codec, KvShape shape, (float[] Keys, float[] Values) rows, int start = 0, ushort[]? offsets = null, int layer = 0)
        : this(codec, shape, start, offsets, layer)
    {
        var site = new PartSite(UnitShape.LayerPage(shape), layer * shape.KvHeadCount, start, _offsets);
        Finite = codec.Encode(KvSide.Keys, rows.Keys, site, KeyPart) & codec.Encode(KvSide.Values, rows.Values, site, ValuePart);
        Assert.Equal(-1, _bytes.AsSpan(_bytes.Length - Guard).IndexOfAnyExcept((byte)0xAA));
    }

    /// <summary>A page to be filled by the caller.</summary>
    public LayerPage(IKvCodec codec, KvShape shape, int start = 0, ushort[]? offsets = null, int layer = 0)
    {
        (Codec, _shape, Start, Layer) = (codec, shape, start, layer);
        _offsets = GC.AllocateArray<ushort>(offsets?.Length ?? 0, pinned: true);
        offsets?.CopyTo(_offsets, 0);
        KeyBytes = codec.PartBytes(KvSide.Keys, UnitShape.LayerPage(shape));
        ValueBytes = codec.PartBytes(KvSide.Values, UnitShape.LayerPage(shape));
        _bytes = GC.AllocateArray<byte>(KeyBytes + ValueBytes + Guard, pinned: true);
        Array.Fill(_bytes, (byte)0xAA);
        Finite = true;
    }

    public IKvCodec Codec { get; }

    public int Start { get; }

    public int Layer { get; }

    public int KeyBytes { get; }

    public int ValueBytes { get; }

    public bool Finite { get; }

    public Span<byte> KeyPart => _bytes.AsSpan(0, KeyBytes);

    public Span<byte> ValuePart => _bytes.AsSpan(KeyBytes, ValueBytes);

    /// <summary>Rows of one head, [64, headDim].</summary>
    public float[] Decode(KvSide side, int kvHead)
    {
        float[] rows = new float[KvShape.PageTokens * _shape.HeadDim];
        var site = new PartSite(UnitShape.LayerPage(_shape), (Layer * _shape.KvHeadCount) + kvHead, Start, _offsets);
        Codec.Decode(side, side == KvSide.Keys ? KeyPart : ValuePart, site, rows);
        return rows;
    }

    /// <summary>Rows of all heads, [KV heads, 64, headDim].</summary>
    public float[] Decode(KvSide side) => [.. Enumerable.Range(0, _shape.KvHeadCount).SelectMany(head => Decode(side, head))];

    public UnitView View(int kvHead) => new()
    {
        Keys = (byte*)Unsafe.AsPointer(ref _bytes[0]),
        Values = (byte*)Unsafe.AsPointer(ref _bytes[KeyBytes]),
        KeyData = Codec.Data(KvSide.Keys, (Layer * _shape.KvHeadCount) + kvHead),
        ValueData = Codec.Data(KvSide.Values, (Layer * _shape.KvHeadCount) + kvHead),
        Offsets = _offsets.Length == 0 ? null : (ushort*)Unsafe.AsPointer(ref _offsets[0]),
        Start = Start,
        Slots = KvShape.PageTokens,
        IsFinite = Finite,
    };

    /// <summary>The partial of query rows of one head over neighbouring pages of one codec, in runs of so many pages.</summary>
    public static Attended Attend(IReadOnlyList<LayerPage> pages, int kvHead, (float[] Queries, int[] Positions) rows, VectorPath path, int run = 16)
    {
        int headDim = pages[0]._shape.HeadDim;
        var scratch = new AttentionScratch(rows.Positions.Length, headDim, new CodecSet([pages[0].Codec]));
        RowBlock block = Block(scratch, headDim, rows);
        IUnitAttend attend = pages[0].Codec.AttendWith(pages[0].Codec, path);
        for (int first = 0; first < pages.Count; first += run)
        {
            UnitView[] views = [.. pages.Skip(first).Take(run).Select(page => page.View(kvHead))];
            fixed (UnitView* pinned = views)
            {
                attend.Attend(pinned, views.Length, ref block);
            }
        }
        int count = rows.Positions.Length;
        float[] outputs = new float[count * headDim];
        for (int row = 0; row < count; row++)
        {
            PartialMerge.Normalise(block.Sum[row], block.Values + (row * headDim), outputs.AsSpan(row * headDim, headDim));
        }
        Attended attended = new(
            outputs,
            new Span<float>(block.Maximum, count).ToArray(),
            new Span<float>(block.Sum, count).ToArray(),
            new Span<float>(block.Values, count * headDim).ToArray(),
            LatentSumsOf(pages[0].Codec, block, count));
        GC.KeepAlive(scratch);
        return attended;
    }

    /// <summary>Bytes that attention allocates when it has run before.</summary>
    public long AllocatedByAttend(int kvHead, (float[] Queries, int[] Positions) rows)
    {
        var scratch = new AttentionScratch(rows.Positions.Length, _shape.HeadDim, new CodecSet([Codec]));
        RowBlock block = Block(scratch, _shape.HeadDim, rows);
        IUnitAttend attend = Codec.AttendWith(Codec, VectorPaths.Best);
        UnitView view = View(kvHead);
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

    // Behind a line of header, [rows, Stride].
    private static float[] LatentSumsOf(IKvCodec codec, in RowBlock block, int count) =>
        new Span<float>(block.ValueScratch + 64, count * ((LatentHead*)codec.Data(KvSide.Values, 0))->Stride).ToArray();

    private static RowBlock Block(AttentionScratch scratch, int headDim, (float[] Queries, int[] Positions) rows)
    {
        RowBlock block = scratch.Block(rows.Positions.Length);
        block.QueriesAreSmall = true;
        new Span<float>(block.Queries, block.PaddedRows * headDim).Clear();
        rows.Queries.CopyTo(new Span<float>(block.Queries, rows.Queries.Length));
        for (int i = 0; i < block.PaddedRows * headDim && block.PaddedRows <= 4; i++)
        {
            block.WideQueries[i] = block.Queries[i] * WideQuery;
        }
        for (int row = 0; row < block.PaddedRows; row++)
        {
            block.Positions[row] = rows.Positions[Math.Min(row, rows.Positions.Length - 1)];
            block.Maximum[row] = float.NegativeInfinity;
            block.Sum[row] = 0;
        }
        // A row that sees nothing must not even lose the sign of a zero.
        new Span<float>(block.Values, block.PaddedRows * headDim).Fill(-0f);
        return block;
    }
}
