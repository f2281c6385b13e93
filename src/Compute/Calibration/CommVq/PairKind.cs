namespace Concertina.Compute.Calibration.CommVq;

/// <summary>How the two tables of a stage are related.</summary>
internal enum PairKind
{
    /// <summary>The second is i times the first: keys of CommVQ.</summary>
    Tied,

    /// <summary>Each is free: two stages of values in a byte, and the untied arm for keys.</summary>
    Free,

    /// <summary>The first has one row of zeros: k-means.</summary>
    Single,
}
