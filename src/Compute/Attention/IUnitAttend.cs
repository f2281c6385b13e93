namespace Concertina.Compute.Attention;

/// <summary>Attention over runs of units of one pair of codecs: one virtual call per run.</summary>
internal unsafe interface IUnitAttend
{
    /// <summary>Folds the units, in order, into the block's partials.</summary>
    void Attend(UnitView* run, int count, ref RowBlock block);
}
