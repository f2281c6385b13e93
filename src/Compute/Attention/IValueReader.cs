using Concertina.Compute.Attention.Lanes;

namespace Concertina.Compute.Attention;

/// <summary>The hot half of a value codec; the row law holds as for keys.</summary>
internal unsafe interface IValueReader
{
    /// <summary>Starts a run of units; a codec with an accumulator of its own clears it, in <see cref="RowBlock.ValueScratch"/>.</summary>
    static abstract void Begin(ref RowBlock block);

    /// <summary>
    /// values[row] = values[row] * factor[row] + the weighted sum over the slots the row sees, or the sum goes to the
    /// codec's own accumulator, which takes the factor too. May change the weights.
    /// </summary>
    static abstract void Accumulate<TL, TV>(in UnitView unit, in RowBlock block)
        where TL : struct, ILanes<TV>
        where TV : struct;

    /// <summary>Ends a run: adds the codec's own accumulator to the values.</summary>
    /// <param name="last">A unit of the run, for its model-level data.</param>
    /// <param name="block">The block.</param>
    static abstract void End<TL, TV>(in UnitView last, ref RowBlock block)
        where TL : struct, ILanes<TV>
        where TV : struct;
}
