using Concertina.Compute.Attention;
using Concertina.Compute.Attention.Lanes;
using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Codecs;
using Concertina.Compute.KvCache.Codecs.F16;
using Concertina.Compute.KvCache.Memory;
using Concertina.Compute.KvCache.Rungs;

namespace Concertina.Compute.Tests.KvCache.Codecs;

/// <summary>
/// Units that cover several heads or pages: place by place what F16 stores of one. It takes every form and loses nothing, so that
/// whatever is wrong with a value is wrong with the units.
/// </summary>
internal sealed unsafe class WideCodec<TForm> : IKvCodec
    where TForm : struct, IWideForm
{
    private readonly F16Codec _plain = new();

    public CodecId Id => TForm.Id;

    public string Name => TForm.Name;

    public UnitKind Kind => TForm.Kind;

    public int PageCount => TForm.PageCount;

    public bool RowsMove => false;

    /// <summary>True: it finds a value it cannot hold.</summary>
    public bool Refuses { get; set; }

    public static Rung Rung => new(TForm.Name, TForm.Name, TForm.Name, 1);

    public int PartBytes(KvSide side, UnitShape shape) => shape.ElementCount * sizeof(ushort);

    public float ErrorBound(KvSide side, float rowMagnitude) => 0;

    public bool Encode(KvSide side, ReadOnlySpan<float> rows, in PartSite site, Span<byte> part)
    {
        Assert.Equal(site.Shape.ElementCount, rows.Length);
        Assert.Equal(0, site.Head % site.Shape.HeadCount);
        Assert.Equal(0, site.Start % site.Shape.SlotCount);
        int elements = KvShape.PageTokens * site.Shape.HeadDim;
        for (int place = 0; place * elements < rows.Length; place++)
        {
            _plain.Encode(side, rows.Slice(place * elements, elements), Place(site), part[(place * elements * sizeof(ushort))..]);
        }
        return !Refuses;
    }

    public void Decode(KvSide side, ReadOnlySpan<byte> part, in PartSite site, Span<float> rows)
    {
        int place = (site.Head % site.Shape.HeadCount * site.Shape.PageCount) + site.Page;
        _plain.Decode(side, part[(place * KvShape.PageTokens * site.Shape.HeadDim * sizeof(ushort))..], Place(site), rows);
    }

    public int Truncate(KvSide side, Span<byte> part, UnitShape shape, int slots) => 0;

    public bool Accepts(CodecId source) => true;

    public IUnitAttend AttendWith(IKvCodec values, VectorPath path) => values.AttendBehind<WideKeys<TForm>>(path);

    public IUnitAttend AttendBehind<TKeys>(VectorPath path)
        where TKeys : struct, IKeyReader => UnitAttend.Make<TKeys, WideValues<TForm>>(path);

    private static PartSite Place(in PartSite site) => new(
        new UnitShape(UnitKind.HeadPage, 1, 1, site.Shape.HeadDim, KvShape.PageTokens), 0, site.Start);
}

/// <summary>What a unit covers.</summary>
internal interface IWideForm
{
    static abstract CodecId Id { get; }

    static abstract string Name { get; }

    static abstract UnitKind Kind { get; }

    static abstract int PageCount { get; }
}

internal readonly struct WideLayer : IWideForm
{
    public static CodecId Id => (CodecId)50;

    public static string Name => "layer";

    public static UnitKind Kind => UnitKind.LayerPage;

    public static int PageCount => 1;
}

internal readonly struct WideColumn : IWideForm
{
    public static CodecId Id => (CodecId)51;

    public static string Name => "column";

    public static UnitKind Kind => UnitKind.Column;

    public static int PageCount => 1;
}

internal readonly struct WideSegment : IWideForm
{
    public static CodecId Id => (CodecId)52;

    public static string Name => "segment";

    public static UnitKind Kind => UnitKind.Segment;

    public static int PageCount => 4;
}

internal readonly struct WidePage : IWideForm
{
    public static CodecId Id => (CodecId)53;

    public static string Name => "page";

    public static UnitKind Kind => UnitKind.HeadPage;

    public static int PageCount => 1;
}

internal readonly unsafe struct WideKeys<TForm> : IKeyReader
    where TForm : struct, IWideForm
{
    public static void Begin(ref RowBlock block)
    {
    }

    public static void Score<TL, TV>(in UnitView unit, in RowBlock block, int slots)
        where TL : struct, ILanes<TV>
        where TV : struct
    {
        UnitView place = unit;
        place.Keys += ((unit.Head * TForm.PageCount) + unit.Page) * KvShape.PageTokens * block.HeadDim * sizeof(ushort);
        F16Keys.Score<TL, TV>(place, block, slots);
    }
}

internal readonly unsafe struct WideValues<TForm> : IValueReader
    where TForm : struct, IWideForm
{
    public static void Begin(ref RowBlock block)
    {
    }

    public static void Accumulate<TL, TV>(in UnitView unit, in RowBlock block)
        where TL : struct, ILanes<TV>
        where TV : struct
    {
        UnitView place = unit;
        place.Values += ((unit.Head * TForm.PageCount) + unit.Page) * KvShape.PageTokens * block.HeadDim * sizeof(ushort);
        F16Values.Accumulate<TL, TV>(place, block);
    }

    public static void End<TL, TV>(in UnitView last, ref RowBlock block)
        where TL : struct, ILanes<TV>
        where TV : struct
    {
    }
}
