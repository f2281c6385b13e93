namespace Concertina.Compute.KvCache.Eviction;

/// <summary>
/// How little a model retrofitted with DMS (https://arxiv.org/abs/2506.05345) needs a token, in one byte that keeps the order and
/// the sign of the decision's logit: above <see cref="Threshold"/> the token is marked, to be dropped once it is older than the
/// model's window.
/// </summary>
internal static class SlotDecision
{
    /// <summary>Bytes of one page's decisions.</summary>
    public const int PageBytes = KvShape.PageTokens;

    /// <summary>Not known (yet): never marked, and kept before all others.</summary>
    public const byte Unknown = 0;

    /// <summary>The largest code of a token that is not marked: its logit is not positive.</summary>
    public const byte Threshold = 128;

    // Logits beyond +-16 decide as surely as any.
    private const float StepsPerUnit = 8;

    /// <summary>Code of a logit; of NaN as of one that is not known.</summary>
    public static byte Of(float logit)
    {
        if (float.IsNaN(logit))
        {
            return Unknown;
        }
        float steps = Math.Clamp(logit * StepsPerUnit, -Threshold, Threshold);
        return logit > 0
            ? (byte)Math.Min(byte.MaxValue, Threshold + 1 + (int)steps)
            : (byte)Math.Max(1, Threshold + (int)Math.Floor(steps));
    }

    /// <summary>Whether a token is marked.</summary>
    public static bool IsMarked(byte code) => code > Threshold;
}
