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
    /// <returns>False when a value is not finite in the new codec; the part is not to be used then.</returns>
    public bool Run(in PartSite site, Span<float> rows)
    {
        if (from.Id == to.Id)
        {
            _source.CopyTo(_part);
            return true;
        }
        if (to.TryConvert(side, from.Id, _source, _part, site.Shape))
        {
            return true;
        }
        from.Decode(side, _source, site, rows);
        return to.Encode(side, rows, site, _part);
    }
}
