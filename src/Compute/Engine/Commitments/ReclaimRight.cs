namespace Concertina.Compute.Engine.Scheduling;

/// <summary>How idle sequences may be made to give way while memory is waited for.</summary>
internal enum ReclaimRight
{
    /// <summary>Not at all: squeezing frees bytes as fast as they are needed.</summary>
    None,

    /// <summary>By being written to their page files, which loses nothing; those without one stay.</summary>
    Spill,

    /// <summary>Also by losing their units: nothing more can be squeezed or spilled.</summary>
    Drop,
}
