using Concertina.Compute.KvCache.Codecs;

namespace Concertina.Compute.KvCache.Transcoding;

/// <summary>One side of a unit on its way from one codec to another.</summary>
/// <param name="side">Keys or values.</param>
/// <param name="from">Codec it has.</param>
/// <param name="source">Its bytes.</param>
/// <param name="to">Codec it gets.</param>
/// <param name="part">Receives its bytes.</param>
internal readonly ref struct PartMove(KvSide side, IKvCodec from, ReadOnlySpan<byte> source, IKvCodec to, Span<byte> part)
{
    private readonly ReadOnlySpan<byte> _source = source;
    private readonly Span<byte> _part = part;

    /// <summary>Copies, converts, or decodes and encodes; whichever loses least.</summary>
    /// <param name="site">Where the part belongs.</param>
    /// <param name="rows">Room for the filled rows.</param>
    /// <param name="decoded">Room for as many again to measure what is lost, or none: then it is not measured.</param>
    public PartOutcome Run(in PartSite site, Span<float> rows, Span<float> decoded)
    {
        if (from.Id == to.Id)
        {
            _source.CopyTo(_part);
            return PartOutcome.Stored;
        }
        if (to.TryConvert(side, from.Id, _source, _part, site.Shape))
        {
            return PartOutcome.Stored;
        }
        from.Decode(side, _source, site, rows);
        if (!to.Encode(side, rows, site, _part))
        {
            return PartOutcome.NotFinite;
        }
        double ceiling = to.Ceiling(side, site.Head);
        if (decoded.IsEmpty || double.IsPositiveInfinity(ceiling))
        {
            return PartOutcome.Stored;
        }
        to.Decode(side, _part, site, decoded);
        return PageResidual.Of(rows, decoded) > ceiling ? PartOutcome.OverCeiling : PartOutcome.Stored;
    }
}
