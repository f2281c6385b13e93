namespace Concertina.Compute.KvCache.Codecs.XQuant;

/// <summary>A part to write.</summary>
/// <param name="part">All of its bytes.</param>
/// <param name="bits">Bits of a code.</param>
/// <param name="codes">Room for one byte a code.</param>
internal readonly ref struct PartTarget(Span<byte> part, int bits, Span<byte> codes)
{
    public Span<byte> Part { get; } = part;

    public int Bits { get; } = bits;

    public Span<byte> Codes { get; } = codes;
}
