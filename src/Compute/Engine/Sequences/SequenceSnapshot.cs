namespace Concertina.Compute.Engine;

/// <summary>One sequence in a report.</summary>
/// <param name="Key">Its key.</param>
/// <param name="WarmTokens">Tokens with units in the arena.</param>
/// <param name="KvBytes">Physical bytes its table refers to.</param>
/// <param name="Running">True while it holds a commitment.</param>
/// <param name="Rung">Name of the deepest rung any of its units is on.</param>
public readonly record struct SequenceSnapshot(string Key, int WarmTokens, long KvBytes, bool Running, string Rung)
{
    /// <summary>Name of the rung it is on its way to, or on: at least as deep as any of its units.</summary>
    public string Target { get; init; } = Rung;

    /// <summary>Name of the deepest rung its last request allows.</summary>
    public string Floor { get; init; } = Rung;

    /// <summary>What its distortion counts in the plan: weight and priority of its last request.</summary>
    public double Weight { get; init; } = 1;

    /// <summary>Whether it may be let out again; false in economy.</summary>
    public bool MayRise { get; init; }

    /// <summary>True while every column is exact.</summary>
    public bool Exact { get; init; } = true;

    /// <summary>Bytes its tokens would take on the lossless rung.</summary>
    public long LosslessBytes { get; init; }
}
