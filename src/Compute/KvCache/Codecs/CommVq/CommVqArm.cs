namespace Concertina.Compute.KvCache.Codecs.CommVq;

/// <summary>A variant of commvq2 that exists to be compared with it, with books of its own and on no ladder.</summary>
/// <param name="Id">Number of its codec.</param>
/// <param name="Name">Name of its codec and of its rung.</param>
internal sealed record CommVqArm(CodecId Id, string Name)
{
    /// <summary>The codebooks of the ladder themselves: no arm.</summary>
    public static CommVqArm None { get; } = new(CodecId.CommVq2, "commvq2");

    /// <summary>The arms, by what they leave out.</summary>
    public static IReadOnlyList<CommVqArm> All { get; } =
    [
        new(CodecId.CommVq2Untied, "commvq2u") { Tied = false },
        new(CodecId.CommVq2AfterRope, "commvq2r") { Tied = false, BeforeRope = false },
        new(CodecId.CommVq2Uncentred, "commvq2m") { Centred = false },
    ];

    /// <summary>False: keys have a free second table, which does not commute with RoPE.</summary>
    public bool Tied { get; init; } = true;

    /// <summary>False: no mean of the channels is taken off first.</summary>
    public bool Centred { get; init; } = true;

    /// <summary>False: keys are encoded as the model rotated them.</summary>
    public bool BeforeRope { get; init; } = true;
}
