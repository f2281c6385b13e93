using System.ComponentModel.DataAnnotations;

namespace Concertina.Compute.KvCache;

/// <summary>How much memory the KV cache of one worker may hold.</summary>
public sealed record KvCacheOptions
{
    /// <summary>Configuration section these options bind to.</summary>
    public const string Section = "KvCache";

    /// <summary>
    /// Memory for everything the cache holds, in bytes. The default, 0, means half of what the machine or container has left
    /// after the weights: the host works that out before it makes a cache, which takes positive numbers only.
    /// </summary>
    [Range(0, 16L << 40, ErrorMessage = "KvCache:BudgetBytes must be 0 (automatic) or at most 16 TiB.")]
    public long BudgetBytes { get; init; }

    /// <summary>Share of the budget kept as transcode reserve, 0 to 0.25. Default 0.02.</summary>
    [Range(0.0, 0.25, ErrorMessage = "KvCache:TranscodeReserveShare must be between 0 and 0.25.")]
    public double TranscodeReserveShare { get; init; } = 0.02;

    /// <summary>Codec of the open page and of the lossless rung: <c>f16</c>, or <c>f32</c> for the definition. Default <c>f16</c>.</summary>
    public string Codec { get; init; } = "f16";

    /// <summary>
    /// The model's KV profile, as <c>concertina calibrate</c> writes it. The default, empty, means
    /// <c>MODEL.kvprofile.safetensors</c> beside the model if there is one; <c>off</c> means none.
    /// </summary>
    public string Profile { get; init; } = "";

    /// <summary>
    /// Rungs that sessions may be squeezed to, shallow to deep, separated by commas. The default, <c>auto</c>, means the
    /// profile's ladder, or without a profile the row quantizers; <c>f16</c> means none below lossless.
    /// </summary>
    public string Rungs { get; init; } = "auto";

    /// <summary>
    /// Times the calibration's median that a page of a session may lose in CommVQ before it is kept in a finer form, where the
    /// session's commitment covers that; 0: pages are never kept. Default 1.5.
    /// </summary>
    [Range(0.0, 100.0, ErrorMessage = "KvCache:GuardFactor must be between 0 (off) and 100.")]
    public double GuardFactor { get; init; } = 1.5;

    /// <summary>The budget of a cache, which must have been chosen by now.</summary>
    /// <exception cref="ArgumentException">It is not positive.</exception>
    internal long RequireBudgetBytes() => BudgetBytes > 0
        ? BudgetBytes
        : throw new ArgumentException(
            $"A KV cache needs a budget, but KvCache:BudgetBytes is {BudgetBytes:N0} here: the weights left nothing, or nobody " +
            "chose. Set it to a positive number of bytes.");
}
