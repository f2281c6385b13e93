namespace Concertina.Compute.Engine.Spill;

/// <summary>How far a restore is after a slice of it.</summary>
internal enum RestoreOutcome
{
    /// <summary>Its slice is used up, or its next record is being read.</summary>
    Going,

    /// <summary>The table is whole.</summary>
    Done,

    /// <summary>Its bytes cannot be had now; nothing of it is left in the arena.</summary>
    NoRoom,

    /// <summary>The file is not what it was when it was checked; nothing of it is left in the arena.</summary>
    Damaged,
}
