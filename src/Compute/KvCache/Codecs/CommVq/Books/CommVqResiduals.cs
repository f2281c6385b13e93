namespace Concertina.Compute.KvCache.Codecs.CommVq.Books;

/// <summary>
/// What pages of the calibration text lose, per head the median of <see cref="PageResidual"/>: what a page of a session is
/// measured against.
/// </summary>
/// <param name="Keys">[heads, 2]: with all stages, with the first half.</param>
/// <param name="Values">Likewise.</param>
internal sealed record CommVqResiduals(IReadOnlyList<float> Keys, IReadOnlyList<float> Values)
{
    /// <summary>The median of a head.</summary>
    /// <param name="side">Side.</param>
    /// <param name="head">layer * KvHeadCount + KV head.</param>
    /// <param name="halved">Whether half of the stages are kept.</param>
    public float Median(KvSide side, int head, bool halved) => (side == KvSide.Keys ? Keys : Values)[(2 * head) + (halved ? 1 : 0)];
}
