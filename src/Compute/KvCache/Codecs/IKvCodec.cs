using Concertina.Compute.Attention;
using Concertina.Compute.Attention.Lanes;
using Concertina.Compute.KvCache.Memory;

namespace Concertina.Compute.KvCache.Codecs;

/// <summary>
/// One way to store one side (keys or values) of a unit: a head page, or more than one page or head. A side's bytes are its
/// part of the unit. Immutable and thread-safe; a codec with model data is an instance of its own per cache. Keys are given
/// and returned after RoPE.
/// </summary>
internal unsafe interface IKvCodec
{
    /// <summary>Number written into units.</summary>
    CodecId Id { get; }

    /// <summary>Name in options and metrics.</summary>
    string Name { get; }

    /// <summary>What a unit of this codec covers. Both sides of a rung have units of one kind and size.</summary>
    UnitKind Kind => UnitKind.HeadPage;

    /// <summary>Pages that a segment covers: a divisor of 16. 1 for the other kinds.</summary>
    int PageCount => 1;

    /// <summary>True when <see cref="Store"/> can fill a page slot by slot, so that the codec can hold open pages.</summary>
    bool HoldsOpenPages => false;

    /// <summary>True when a slot stands alone, so that <see cref="CopySlot"/> can move it: what eviction inside a page needs.</summary>
    bool RowsMove { get; }

    /// <summary>What it needs of the write hook; a cache refuses a codec that needs more than <see cref="KvRows.Offered"/>.</summary>
    HookNeeds Needs => HookNeeds.None;

    /// <summary>Work of encoding one source byte, with the 8-bit row quantizer as 1: what a slice of transcoding is charged.</summary>
    double EncodeWeight => 1;

    /// <summary>
    /// Largest error of attention against attention over <see cref="Decode"/>, relative to the largest value of the page and
    /// the largest score; 0 where both give the same bits. The conformance tests hold the codec to it.
    /// </summary>
    float AttendTolerance => 0;

    /// <summary>Exact bytes of a part; <see cref="Encode"/> writes all of them.</summary>
    int PartBytes(KvSide side, UnitShape shape);

    /// <summary>Bytes for one side, beside the attention's own, that live as long as the cache, model data among them; paid from its budget.</summary>
    long ScratchBytes(KvSide side, UnitShape shape) => 0;

    /// <summary>The part of <see cref="ScratchBytes"/> that holds data of the model, such as codebooks.</summary>
    long ModelBytes(KvSide side) => 0;

    /// <summary>Bytes each attention worker keeps for a block of query rows; paid from the budget.</summary>
    /// <param name="side">Side.</param>
    /// <param name="rows">Query rows of the largest block.</param>
    /// <param name="headDim">Channels of a head.</param>
    int BlockScratchBytes(KvSide side, int rows, int headDim) => 0;

    /// <summary>
    /// Largest absolute error of an element whose row has this largest magnitude: the promise that the conformance tests
    /// hold the codec to; infinite where the codec promises none. Serving does not ask for it.
    /// </summary>
    float ErrorBound(KvSide side, float rowMagnitude);

    /// <summary>
    /// Most of <see cref="PageResidual"/> that a page of a head should lose here; a session keeps a page that loses more in its
    /// old form where its commitment covers that. Infinite where the codec sets no ceiling.
    /// </summary>
    double Ceiling(KvSide side, int head) => double.PositiveInfinity;

    /// <summary>
    /// Writes a whole part from the rows that are filled; other slots become zero. Rows are [heads of the unit, slots of the
    /// unit, headDim], heads as in the page lists; a unit of more than one page or head is always full.
    /// </summary>
    /// <returns>False when a value is not finite after rounding, so that readers must not assume it.</returns>
    bool Encode(KvSide side, ReadOnlySpan<float> rows, in PartSite site, Span<byte> part);

    /// <summary>Writes neighbouring slots of an open page; the others stay.</summary>
    /// <returns>False when a value is not finite after rounding.</returns>
    /// <exception cref="NotSupportedException">The codec holds no open pages.</exception>
    bool Store(KvSide side, SlotRows rows, UnitShape shape, Span<byte> part) =>
        throw new NotSupportedException($"Codec '{Name}' takes sealed pages only.");

    /// <summary>Reads the first slots of one page of one head back, [slots, headDim]: the definition that attention must agree with.</summary>
    void Decode(KvSide side, ReadOnlySpan<byte> part, in PartSite site, Span<float> rows);

    /// <summary>Cuts a part that belongs to one sequence alone to the slots below a count, before those beyond are written anew.</summary>
    /// <returns>Slots that remain; fewer than asked when the format cannot be cut there.</returns>
    int Truncate(KvSide side, Span<byte> part, UnitShape shape, int slots);

    /// <summary>Copies one slot, bit by bit, to a slot of a part of the same head; the parts may be the same.</summary>
    /// <exception cref="NotSupportedException">Slots of this codec do not stand alone.</exception>
    void CopySlot(KvSide side, SlotMove move, UnitShape shape) =>
        throw new NotSupportedException($"Slots of codec '{Name}' share data with their page and cannot move alone.");

    /// <summary>Whether parts of another codec may be stored anew in this one: provenance. By default only the 16- and 32-bit forms.</summary>
    bool Accepts(CodecId source) => source is CodecId.F16 or CodecId.F32;

    /// <summary>
    /// Writes a part from a part of another codec without decoding it, where that is exact or better than decoding.
    /// </summary>
    /// <returns>False when there is no such way; nothing was written.</returns>
    bool TryConvert(KvSide side, CodecId from, ReadOnlySpan<byte> source, Span<byte> part, UnitShape shape) => false;

    /// <summary>Model-level data of one head for the kernels, or null.</summary>
    byte* Data(KvSide side, int head) => null;

    /// <summary>Attention with this codec's keys and another's values; made once, called once per run of units.</summary>
    IUnitAttend AttendWith(IKvCodec values, VectorPath path);

    /// <summary>The second half of <see cref="AttendWith"/>: attention with another codec's keys and this one's values.</summary>
    IUnitAttend AttendBehind<TKeys>(VectorPath path)
        where TKeys : struct, IKeyReader;
}
