namespace Concertina.Compute.Allocation;

/// <summary>One session of a worker, as the plan sees it.</summary>
/// <param name="Tokens">Tokens with units in the arena.</param>
/// <param name="SharedBytes">Bytes of its units that others hold too, so that squeezing it alone does not free them.</param>
/// <param name="Rung">Index of the rung it is on.</param>
/// <param name="Floor">Index of the deepest rung it was promised; at least the rung it started on.</param>
/// <param name="Weight">What its distortion counts: tenant weight times priority, above 0.</param>
/// <param name="IdleSeconds">Seconds since its last token; 0 while it runs.</param>
/// <param name="MayRise">Whether it may be let out again (undo): elastic sessions may, economy sessions may not.</param>
public readonly record struct PlanSession(
    int Tokens, long SharedBytes, int Rung, int Floor, double Weight, double IdleSeconds, bool MayRise);
