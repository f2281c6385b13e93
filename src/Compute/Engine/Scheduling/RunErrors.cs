namespace Concertina.Compute.Engine.Scheduling;

/// <summary>Every way a run can fail, with its code and its words.</summary>
internal static class RunErrors
{
    public static RunOutcome SlowReader(Run run, EngineOptions options) => new(
        FinishKind.Error,
        "decode/slow-reader",
        $"No token was read for {options.SlowReaderSeconds} s while {options.ReaderBufferTokens} tokens waited (Engine:SlowReaderSeconds, " +
        $"Engine:ReaderBufferTokens); {run.Generated} were generated. Read faster, or send the request again.");

    public static RunOutcome WaitExpired(Run run, EngineState state) => new(
        FinishKind.Error,
        "memory/wait-expired",
        $"The sequence waited {state.Options.MemoryWaitSeconds} s for KV memory (Engine:MemoryWaitSeconds): it holds {run.HeldBytes:N0} bytes for " +
        $"{run.HeldTokens} tokens, and {state.Ledger.SumBytes:N0} of {state.Ledger.CapacityBytes:N0} bytes are promised. " +
        $"{run.Generated} tokens were generated. Retry later, or set a token limit.");

    public static RunOutcome BudgetExhausted(Run run, EngineState state) => new(
        FinishKind.Error,
        "memory/budget-exhausted",
        $"The sequence has {run.Sequence.Tokens.Count} tokens, all that the whole KV budget of {state.Ledger.CapacityBytes:N0} promisable bytes can hold; " +
        "the model's context is longer. Set a token limit, or raise KvCache:BudgetBytes.");

    public static RunOutcome NotFinite(Run run) => new(
        FinishKind.Error,
        "decode/not-finite",
        $"The logits at position {run.Sequence.Tokens.Count} are not finite numbers (rung f16; {WhereNotFinite(run)}). The sequence's cache was " +
        "dropped. Send the request again; if it happens again, the model file or the kernels are at fault.")
    {
        DiscardUnits = true,
    };

    public static RunOutcome Failed(Exception exception, string stage) => new(
        FinishKind.Error,
        "engine/failed",
        $"The engine failed in stage '{stage}': {Describe(exception)} Send the request again.");

    public static RunOutcome Unsettled => new(
        FinishKind.Error, "engine/failed", "The engine failed while it gave the request's units back. Send the request again.");

    public static RunOutcome Stopped => new(
        FinishKind.Error, "engine/stopped", "The engine was stopped while the request was queued or running. Send the request again.");

    private static string WhereNotFinite(Run run) => run.Table.FirstNonFiniteLayer() is { } layer
        ? $"layer {layer} is the first with keys or values outside the 16-bit range"
        : "every layer's keys and values are finite, so it is past the last attention";

    public static string Describe(Exception exception) => $"{exception.GetType().Name}: {exception.Message}";
}
