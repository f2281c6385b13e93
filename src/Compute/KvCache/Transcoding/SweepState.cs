namespace Concertina.Compute.KvCache.Transcoding;

/// <summary>How far a table has been moved to its rung: plain data of the table, written by <see cref="Squeezer"/>.</summary>
internal struct SweepState
{
    /// <summary>Columns below this were swept.</summary>
    public int Done;

    /// <summary>Columns below this are being swept; 0 between sweeps.</summary>
    public int Limit;

    /// <summary>List being swept.</summary>
    public int Head;

    /// <summary>Next unit of that list.</summary>
    public int Index;
}
