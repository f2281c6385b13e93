using Concertina.Compute.Attention;
using Concertina.Compute.Attention.Lanes;
using Concertina.Compute.KvCache.Memory;

namespace Concertina.Compute.KvCache.Codecs;

/// <summary>
/// One way to store one side (keys or values) of a head page. A side's bytes are its part of the unit. Stateless and
/// thread-safe. Rows are [slots, headDim].
/// </summary>
internal interface IKvCodec
{
    /// <summary>Number written into units.</summary>
    CodecId Id { get; }

    /// <summary>Name in options and metrics.</summary>
    string Name { get; }

    /// <summary>True when <see cref="Store"/> can fill a page slot by slot, so that the codec can hold open pages.</summary>
    bool HoldsOpenPages { get; }

    /// <summary>What it needs of the write hook; a cache refuses a codec that needs more than <see cref="KvRows.Offered"/>.</summary>
    HookNeeds Needs { get; }

    /// <summary>Exact bytes of a part; <see cref="Encode"/> writes all of them.</summary>
    int PartBytes(KvSide side, UnitShape shape);

    /// <summary>Bytes of scratch for one side, beside the attention's own, that live as long as the cache; paid from its budget.</summary>
    long ScratchBytes(UnitShape shape);

    /// <summary>
    /// Largest absolute error of an element whose row has this largest magnitude: the promise that the conformance tests
    /// hold the codec to. Serving does not ask for it.
    /// </summary>
    float ErrorBound(KvSide side, float rowMagnitude);

    /// <summary>Writes a whole part from the rows that are filled; other slots become zero.</summary>
    /// <returns>False when a value is not finite after rounding, so that readers must not assume it.</returns>
    bool Encode(KvSide side, ReadOnlySpan<float> rows, UnitShape shape, Span<byte> part);

    /// <summary>Writes neighbouring slots of an open page; the others stay.</summary>
    /// <returns>False when a value is not finite after rounding.</returns>
    /// <exception cref="NotSupportedException">The codec holds no open pages.</exception>
    bool Store(KvSide side, SlotRows rows, UnitShape shape, Span<byte> part);

    /// <summary>Reads the first slots back: the definition that attention must agree with.</summary>
    void Decode(KvSide side, ReadOnlySpan<byte> part, UnitShape shape, Span<float> rows);

    /// <summary>Cuts a part that belongs to one sequence alone to the slots below a count, before those beyond are written anew.</summary>
    /// <returns>Slots that remain; fewer than asked when the format cannot be cut there.</returns>
    int Truncate(KvSide side, Span<byte> part, UnitShape shape, int slots);

    /// <summary>Attention with this codec's keys and another's values; made once, called once per run of units.</summary>
    IUnitAttend AttendWith(IKvCodec values, VectorPath path);

    /// <summary>The second half of <see cref="AttendWith"/>: attention with another codec's keys and this one's values.</summary>
    IUnitAttend AttendBehind<TKeys>(VectorPath path)
        where TKeys : struct, IKeyReader;
}
