using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Concertina.Compute.Attention;
using Concertina.Compute.Attention.Lanes;
using Concertina.Compute.Kernels;
using Concertina.Compute.KvCache.Codecs.Fourier.Spectral;
using Concertina.Compute.KvCache.Memory;

namespace Concertina.Compute.KvCache.Codecs.Fourier;

/// <summary>
/// Some channels of a segment as the lowest orders of their DCT over time, the others as pages of another codec. Keys as RoPE
/// turned them. Source: https://arxiv.org/abs/2506.11886, equations 3 to 6; see the README of the folder for what differs.
/// </summary>
/// <remarks>A part is coefficients, then one page of kept channels per page; see <see cref="FourierPart"/>.</remarks>
internal sealed unsafe class FourierCodec<TKeys, TValues> : IKvCodec
    where TKeys : struct, IKeyReader
    where TValues : struct, IValueReader
{
    private readonly FourierTables _tables;
    private readonly IKvCodec _kept;
    private readonly FourierPart _keyPart;
    private readonly FourierPart _valuePart;
    private readonly FourierHead[] _heads;
    private FourierBuffers? _spare;

    internal FourierCodec(FourierTables tables, (CodecId Id, string Name) known, IKvCodec kept)
    {
        (_tables, Id, Name, _kept) = (tables, known.Id, known.Name, kept);
        FourierSetup setup = tables.Setup;
        _keyPart = new FourierPart(KvSide.Keys, setup, kept);
        _valuePart = new FourierPart(KvSide.Values, setup, kept);
        int count = setup.Keys.HeadCount;
        _heads = GC.AllocateArray<FourierHead>(2 * count, pinned: true);
        for (int head = 0; head < count; head++)
        {
            _heads[head] = tables.Head(KvSide.Keys, head, _keyPart);
            _heads[count + head] = tables.Head(KvSide.Values, head, _valuePart);
        }
    }

    public CodecId Id { get; }

    public string Name { get; }

    public UnitKind Kind => UnitKind.Segment;

    public int PageCount => _tables.Setup.PageCount;

    // A coefficient belongs to all tokens of the segment.
    public bool RowsMove => false;

    /// <inheritdoc/>
    /// <remarks>An estimate from its multiplications: one for every order that a compressed element meets.</remarks>
    public double EncodeWeight => 1 + (Math.Max(_tables.Setup.Keys.Orders, _tables.Setup.Values.Orders) / 16.0);

    // Sums run over orders instead of channels and tokens; the kept channels have their own.
    public float AttendTolerance => 2e-5f + _kept.AttendTolerance;

    // The tables are shared; the first codec pays.
    public long ModelBytes(KvSide side) => Id == CodecId.Fourier16 ? _tables.Bytes(side) : 0;

    public long ScratchBytes(KvSide side, UnitShape shape) =>
        ModelBytes(side) + (side == KvSide.Keys ? FourierBuffers.Bytes(_tables.Setup) : 0);

    public int BlockScratchBytes(KvSide side, int rows, int headDim)
    {
        int orders = _tables.Setup.Of(side).Orders;
        int own = side == KvSide.Keys ? KeyScratch.Bytes(rows, headDim, orders) : ValueScratch.Bytes(rows, headDim, orders);
        return own + _kept.BlockScratchBytes(side, rows, headDim);
    }

    /// <exception cref="ArgumentException">The shape is not a segment of the setup.</exception>
    public int PartBytes(KvSide side, UnitShape shape)
    {
        FourierSetup setup = _tables.Setup;
        if (shape.Kind != UnitKind.Segment || shape.HeadDim != setup.Keys.HeadDim || shape.SlotCount != setup.TokenCount)
        {
            throw new ArgumentException(
                $"Codec '{Name}' was made for segments of {setup.TokenCount} slots of {setup.Keys.HeadDim} channels, not for {shape}. "
                + "Make it from the channel lists of the cache's model.",
                nameof(shape));
        }
        return Part(side).Bytes;
    }

    // What the dropped orders held depends on the other rows: nothing is promised for a single one.
    public float ErrorBound(KvSide side, float rowMagnitude) => float.PositiveInfinity;

    public double Ceiling(KvSide side, int head) =>
        _tables.Setup.Ceilings is { } ceilings ? ceilings[At(side, head)] : double.PositiveInfinity;

    public bool Encode(KvSide side, ReadOnlySpan<float> rows, in PartSite site, Span<byte> part)
    {
        Span<byte> whole = part[..PartBytes(side, site.Shape)];
        int headDim = site.Shape.HeadDim;
        RequireRows(rows.Length, site.Shape.SlotCount, headDim);
        FourierChannels channels = _tables.Setup.Of(side);
        FourierPart layout = Part(side);
        FourierBuffers buffers = Take();
        bool finite = true;
        if (channels.CompressedCount > 0)
        {
            Span<float> signal = buffers.Rows.AsSpan(0, _tables.Setup.TokenCount * channels.CompressedCount);
            Gather(rows, headDim, channels.Compressed(site.Head), signal);
            Span<float> coefficients = buffers.Coefficients.AsSpan(0, channels.Orders * channels.CompressedCount);
            SpectralTransform.Forward(_tables.Basis(side), signal, channels.CompressedCount, coefficients);
            finite = Store(layout, coefficients, MemoryMarshal.Cast<byte, ushort>(whole[..layout.CoefficientBytes]));
        }
        if (channels.KeptCount > 0)
        {
            Span<float> kept = buffers.Rows.AsSpan(0, _tables.Setup.TokenCount * channels.KeptCount);
            Gather(rows, headDim, channels.Kept(site.Head), kept);
            int pageElements = KvShape.PageTokens * channels.KeptCount;
            for (int page = 0; page < layout.PageCount; page++)
            {
                finite &= _kept.Encode(
                    side, kept.Slice(page * pageElements, pageElements), new PartSite(layout.PageShape, 0, 0), whole[layout.Page(page)]);
            }
        }
        Volatile.Write(ref _spare, buffers);
        return finite;
    }

    public void Decode(KvSide side, ReadOnlySpan<byte> part, in PartSite site, Span<float> rows)
    {
        ReadOnlySpan<byte> whole = part[..PartBytes(side, site.Shape)];
        int headDim = site.Shape.HeadDim;
        RequireRows(rows.Length, KvShape.PageTokens, headDim);
        int slots = rows.Length / headDim;
        FourierChannels channels = _tables.Setup.Of(side);
        FourierPart layout = Part(side);
        FourierBuffers buffers = Take();
        if (channels.CompressedCount > 0)
        {
            int count = channels.CompressedCount;
            Span<float> coefficients = buffers.Coefficients.AsSpan(0, channels.Orders * count);
            Load(layout, MemoryMarshal.Cast<byte, ushort>(whole[..layout.CoefficientBytes]), coefficients);
            Span<float> signal = buffers.Rows.AsSpan(0, slots * count);
            SpectralTransform.Inverse(_tables.Basis(side), coefficients, site.Page * KvShape.PageTokens, signal);
            Scatter(signal, channels.Compressed(site.Head), headDim, rows);
        }
        if (channels.KeptCount > 0)
        {
            Span<float> kept = buffers.Rows.AsSpan(0, slots * channels.KeptCount);
            _kept.Decode(side, whole[layout.Page(site.Page)], new PartSite(layout.PageShape, 0, 0), kept);
            Scatter(kept, channels.Kept(site.Head), headDim, rows);
        }
        Volatile.Write(ref _spare, buffers);
    }

    // A coefficient belongs to all tokens of the segment, so nothing remains of one that is cut inside.
    public int Truncate(KvSide side, Span<byte> part, UnitShape shape, int slots) => slots == shape.SlotCount ? slots : 0;

    // Noise of quantisation is white over time, and few orders keep little of it.
    public bool Accepts(CodecId source) => source is CodecId.F16 or CodecId.F32 or CodecId.Int8 or CodecId.Int4;

    public byte* Data(KvSide side, int head) => (byte*)Unsafe.AsPointer(ref _heads[At(side, head)]);

    public IUnitAttend AttendWith(IKvCodec values, VectorPath path) => values.AttendBehind<FourierKeys<TKeys>>(path);

    public IUnitAttend AttendBehind<TOther>(VectorPath path)
        where TOther : struct, IKeyReader => UnitAttend.Make<TOther, FourierValues<TValues>>(path);

    private static void Gather(ReadOnlySpan<float> rows, int headDim, ReadOnlySpan<int> channels, Span<float> to)
    {
        int at = 0;
        for (int row = 0; row < rows.Length; row += headDim)
        {
            ReadOnlySpan<float> from = rows.Slice(row, headDim);
            foreach (int channel in channels)
            {
                to[at++] = from[channel];
            }
        }
        to[at..].Clear();
    }

    private static void Scatter(ReadOnlySpan<float> from, ReadOnlySpan<int> channels, int headDim, Span<float> rows)
    {
        int at = 0;
        for (int row = 0; row < rows.Length; row += headDim)
        {
            Span<float> to = rows.Slice(row, headDim);
            foreach (int channel in channels)
            {
                to[channel] = from[at++];
            }
        }
    }

    private static bool Store(FourierPart layout, ReadOnlySpan<float> coefficients, Span<ushort> halves)
    {
        bool finite = true;
        for (int order = 0, at = 0; order < layout.Orders; order++)
        {
            for (int channel = 0; channel < layout.CompressedCount; channel++, at++)
            {
                ushort half = HalfConversion.ToHalf(coefficients[at]);
                finite &= (half & 0x7C00) != 0x7C00;
                halves[layout.HalfAt(order, channel)] = half;
            }
        }
        return finite;
    }

    private static void Load(FourierPart layout, ReadOnlySpan<ushort> halves, Span<float> coefficients)
    {
        for (int order = 0, at = 0; order < layout.Orders; order++)
        {
            for (int channel = 0; channel < layout.CompressedCount; channel++, at++)
            {
                coefficients[at] = HalfConversion.ToSingle(halves[layout.HalfAt(order, channel)]);
            }
        }
    }

    private FourierPart Part(KvSide side) => side == KvSide.Keys ? _keyPart : _valuePart;

    private int At(KvSide side, int head) => side == KvSide.Keys ? head : _tables.Setup.Keys.HeadCount + head;

    private FourierBuffers Take() => Interlocked.Exchange(ref _spare, null) ?? new FourierBuffers(_tables.Setup);

    private void RequireRows(int length, int slots, int headDim)
    {
        if (length % headDim != 0 || length > slots * headDim)
        {
            throw new ArgumentException($"Codec '{Name}' takes at most {slots} slots of {headDim} channels, not {length} elements.");
        }
    }
}
