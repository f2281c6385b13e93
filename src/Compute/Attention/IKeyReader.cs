using Concertina.Compute.Attention.Lanes;

namespace Concertina.Compute.Attention;

/// <summary>
/// The hot half of a key codec, compiled into <see cref="UnitAttend{TKeys, TValues, TL, TV}"/>. What a row computes on a
/// page depends on the page and the row alone, never on the number of rows (the row law).
/// </summary>
internal unsafe interface IKeyReader
{
    /// <summary>Prepares the block's queries for a run of units, in <see cref="RowBlock.KeyScratch"/>.</summary>
    static abstract void Begin(ref RowBlock block);

    /// <summary>scores[row, slot] = query * key, for the first slots.</summary>
    static abstract void Score<TL, TV>(in UnitView unit, in RowBlock block, int slots)
        where TL : struct, ILanes<TV>
        where TV : struct;
}
