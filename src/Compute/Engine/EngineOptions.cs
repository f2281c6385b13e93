using System.ComponentModel.DataAnnotations;

namespace Concertina.Compute.Engine;

/// <summary>Limits of one engine.</summary>
public sealed record EngineOptions
{
    /// <summary>Configuration section these options bind to.</summary>
    public const string Section = "Engine";

    /// <summary>Most sequences that run at once. Default 256.</summary>
    [Range(1, 65_536, ErrorMessage = "Engine:MaxRunning must be between 1 and 65536.")]
    public int MaxRunning { get; init; } = 256;

    /// <summary>Most rows (decode rows and prefill tokens) of one step. Default 256; more makes prefill faster and streams less smooth.</summary>
    [Range(1, 16_384, ErrorMessage = "Engine:StepTokens must be between 1 and 16384.")]
    public int StepTokens { get; init; } = 256;

    /// <summary>Most rows of one step that want logits: one per sequence that runs.</summary>
    public int MaxLogitRows => Math.Min(MaxRunning, StepTokens);

    /// <summary>Most requests that wait for admission; every request waits at least until the next step. Default 1024.</summary>
    [Range(1, 1_000_000, ErrorMessage = "Engine:QueueLimit must be between 1 and 1000000.")]
    public int QueueLimit { get; init; } = 1024;

    /// <summary>Tokens committed for a request without a limit; extended column by column after. Default 1024.</summary>
    [Range(1, 1_048_576, ErrorMessage = "Engine:DefaultNewTokens must be between 1 and 1048576.")]
    public int DefaultNewTokens { get; init; } = 1024;

    /// <summary>Tokens a reader may lie behind before its sequence skips steps. Default 64.</summary>
    [Range(1, 65_536, ErrorMessage = "Engine:ReaderBufferTokens must be between 1 and 65536.")]
    public int ReaderBufferTokens { get; init; } = 64;

    /// <summary>Seconds without a read, while the buffer is full, after which a generation is cancelled. Default 30.</summary>
    [Range(0.1, 86_400, ErrorMessage = "Engine:SlowReaderSeconds must be between 0.1 and 86400.")]
    public double SlowReaderSeconds { get; init; } = 30;

    /// <summary>Seconds a sequence may wait in place for memory before it ends with an error. Default 60.</summary>
    [Range(0.1, 86_400, ErrorMessage = "Engine:MemoryWaitSeconds must be between 0.1 and 86400.")]
    public double MemoryWaitSeconds { get; init; } = 60;

    /// <summary>Seconds a request may wait for admission before it is refused. Default 120.</summary>
    [Range(0.1, 86_400, ErrorMessage = "Engine:QueueWaitSeconds must be between 0.1 and 86400.")]
    public double QueueWaitSeconds { get; init; } = 120;

    /// <summary>Seconds one stage of a step may take before the watchdog calls the engine stalled. Default 30.</summary>
    [Range(0.1, 86_400, ErrorMessage = "Engine:StallSeconds must be between 0.1 and 86400.")]
    public double StallSeconds { get; init; } = 30;

    /// <summary>
    /// Work that one step may spend on transcoding, in bytes of source pages (a codec that takes more time per byte counts
    /// them more). Default 1 MiB; more squeezes faster and makes streams less smooth.
    /// </summary>
    [Range(1 << 16, 1 << 30, ErrorMessage = "Engine:TranscodeSliceBytes must be between 65536 and 1073741824.")]
    public long TranscodeSliceBytes { get; init; } = 1 << 20;

    /// <summary>
    /// The same while a sequence waits for memory or the KV budget is to become smaller than what is in use. Default 8 MiB; at
    /// least <see cref="TranscodeSliceBytes"/> is spent.
    /// </summary>
    [Range(1 << 16, 1 << 30, ErrorMessage = "Engine:UrgentSliceBytes must be between 65536 and 1073741824.")]
    public long UrgentSliceBytes { get; init; } = 8 << 20;

    /// <summary>
    /// Share of a step's rows that computing squeezed sequences anew may add while others have rows, 0 to 0.5. Default 0.1; 0:
    /// steps without other rows only.
    /// </summary>
    [Range(0.0, 0.5, ErrorMessage = "Engine:UndoShare must be between 0 (idle steps only) and 0.5.")]
    public double UndoShare { get; init; } = 0.1;

    /// <summary>Most predicted distortion of a request that names no floor, in nats per token. Default 0.01; 0: lossless unless asked otherwise.</summary>
    [Range(0.0, 100.0, ErrorMessage = "Engine:DefaultFloorNats must be between 0 and 100.")]
    public double DefaultFloorNats { get; init; } = 0.01;

    /// <summary>
    /// Share of the KV budget in use above which live sessions are squeezed, within what their requests allow. Default 0.9; not
    /// below <see cref="LowWatermark"/>.
    /// </summary>
    [Range(0.05, 1.0, ErrorMessage = "Engine:HighWatermark must be between 0.05 and 1.")]
    public double HighWatermark { get; init; } = 0.9;

    /// <summary>Share of the KV budget that squeezing then aims at. Default 0.8.</summary>
    [Range(0.05, 1.0, ErrorMessage = "Engine:LowWatermark must be between 0.05 and 1.")]
    public double LowWatermark { get; init; } = 0.8;

    /// <summary>
    /// Seconds without a request after which a session's units go to its page file, whether memory is short or not. Default 300.
    /// </summary>
    [Range(0.1, 31_536_000, ErrorMessage = "Engine:SpillIdleSeconds must be between 0.1 and 31536000.")]
    public double SpillIdleSeconds { get; init; } = 300;

    /// <summary>
    /// Part of the KV budget for copies of units on their way to page files, and as much again for those on their way back; at least
    /// one column. Default 0: a 64th of the KV budget, at most 64 MiB.
    /// </summary>
    [Range(0, 1L << 40, ErrorMessage = "Engine:SpillBufferBytes must be between 0 (a 64th of the KV budget) and 1 TiB.")]
    public long SpillBufferBytes { get; init; }

    /// <summary>Threads that compute, the engine's own included; 0: one per core. Default 0.</summary>
    [Range(0, 1_024, ErrorMessage = "Engine:Threads must be between 0 (one per core) and 1024.")]
    public int Threads { get; init; }
}
