using Concertina.Compute.KvCache.Memory;

namespace Concertina.Compute.KvCache.Prefix;

/// <summary>What a column offered to the index is made of.</summary>
/// <param name="handles">One unit per (layer, KV head).</param>
/// <param name="exact">Whether everything it was computed over is lossless.</param>
/// <param name="rung">Deepest rung it was computed over; 0 when exact.</param>
internal readonly ref struct ColumnUnits(ReadOnlySpan<UnitHandle> handles, bool exact, int rung)
{
    public ReadOnlySpan<UnitHandle> Handles { get; } = handles;

    public bool Exact { get; } = exact;

    public int Rung { get; } = rung;
}
