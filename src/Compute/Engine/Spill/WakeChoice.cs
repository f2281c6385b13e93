namespace Concertina.Compute.Engine.Spill;

/// <summary>Whether a sequence is restored from its page file or computed anew, by what each was measured to take.</summary>
internal sealed class WakeChoice
{
    /// <summary>Bytes of page files read and checked a second.</summary>
    public MeasuredRate Restore { get; } = new();

    /// <summary>Prompt tokens computed a second.</summary>
    public MeasuredRate Prefill { get; } = new();

    /// <summary>Whether reading is expected to take no longer than computing; what was never measured is tried by reading.</summary>
    /// <param name="fileBytes">Bytes to read.</param>
    /// <param name="tokens">Tokens that need not be computed then.</param>
    public bool PrefersRestore(long fileBytes, int tokens) =>
        tokens > 0 && (Restore.PerSecond is not { } bytesPerSecond || Prefill.PerSecond is not { } tokensPerSecond
            || fileBytes / bytesPerSecond <= tokens / tokensPerSecond);
}
