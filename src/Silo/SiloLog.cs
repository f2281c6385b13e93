using Concertina.Compute.Engine;
using Concertina.Compute.Store;
using Microsoft.Extensions.Logging;

namespace Concertina.Silo;

/// <summary>Every log message of the silo.</summary>
internal static partial class SiloLog
{
    [LoggerMessage(EventId = 3001, Level = LogLevel.Information,
        Message = "Model {Model} is loaded from {Path}: {ParameterCount} parameters, {WeightBytes} bytes of weights, context {ContextLength} tokens, KV budget {BudgetBytes} bytes, class {DeterminismClass}.")]
    public static partial void ModelLoaded(
        ILogger logger, string model, string path, long parameterCount, long weightBytes, int contextLength, long budgetBytes, string determinismClass);

    [LoggerMessage(EventId = 3002, Level = LogLevel.Error, Message = "Model {Model} cannot be served: {Problem}")]
    public static partial void ModelRefused(ILogger logger, string model, string problem);

    [LoggerMessage(EventId = 3008, Level = LogLevel.Error, Message = "Loading model {Model} from {Path} failed.")]
    public static partial void ModelFailed(ILogger logger, string model, string path, Exception problem);

    [LoggerMessage(EventId = 3010, Level = LogLevel.Information,
        Message = "KV profile {Path} has {Rungs} rungs on the ladder, trained on {TrainingTokens} tokens.")]
    public static partial void ProfileLoaded(ILogger logger, string path, int rungs, long trainingTokens);

    [LoggerMessage(EventId = 3011, Level = LogLevel.Warning,
        Message = "The KV profile {Path} cannot be used, so only rungs that need none are offered, without measures: {Problem}")]
    public static partial void ProfileRefused(ILogger logger, string path, string problem);

    [LoggerMessage(EventId = 3012, Level = LogLevel.Information,
        Message = "There is no KV profile at {Path}; only rungs that need none are offered, without measures. Make one with 'concertina calibrate'.")]
    public static partial void NoProfile(ILogger logger, string path);

    [LoggerMessage(EventId = 3013, Level = LogLevel.Warning,
        Message = "Rung {Rung} failed its self-test on model {Model} and leaves the ladder: {Problem}")]
    public static partial void RungFailed(ILogger logger, string rung, string model, string problem);

    [LoggerMessage(EventId = 3017, Level = LogLevel.Warning, Message = "The rungs of model {Model} are offered without a self-test: {Reason}")]
    public static partial void RungsNotTried(ILogger logger, string model, string reason);

    [LoggerMessage(EventId = 3014, Level = LogLevel.Warning,
        Message = "The container's memory limit went from {Before} to {Limit} bytes; the KV budget is to be {TargetBytes} bytes and is {ActualBytes} now (held up by: {Hold}).")]
    public static partial void MemoryLimitChanged(ILogger logger, long? before, long? limit, long targetBytes, long actualBytes, KvBudgetHold hold);

    [LoggerMessage(EventId = 3015, Level = LogLevel.Error,
        Message = "The container's memory limit of {Limit} bytes leaves {Bytes} bytes for the KV cache, which cannot work with them; it stays as it is and may be killed: {Problem}")]
    public static partial void MemoryLimitTooSmall(ILogger logger, long? limit, long bytes, string problem);

    [LoggerMessage(EventId = 3016, Level = LogLevel.Warning, Message = "The container's memory limit could not be read or followed; the next look tries again.")]
    public static partial void MemoryLimitUnread(ILogger logger, Exception problem);

    [LoggerMessage(EventId = 3017, Level = LogLevel.Warning,
        Message = "The page file of {SequenceKey} could not be written or used ({Fault}: {Detail}); the session is computed anew from its tokens.")]
    public static partial void PageFileFaulty(ILogger logger, string sequenceKey, SessionFileFault fault, string detail);

    [LoggerMessage(EventId = 3003, Level = LogLevel.Information,
        Message = "Draining: {Running} running and {Queued} waiting requests have {DrainSeconds} s to finish.")]
    public static partial void Draining(ILogger logger, int running, int queued, double drainSeconds);

    [LoggerMessage(EventId = 3004, Level = LogLevel.Warning,
        Message = "The drain deadline of {DrainSeconds} s has passed; {Running} running and {Queued} waiting requests end with an error.")]
    public static partial void DrainExpired(ILogger logger, double drainSeconds, int running, int queued);

    [LoggerMessage(EventId = 3005, Level = LogLevel.Warning, Message = "Worker {Worker} could not be started; trying again.")]
    public static partial void WorkerNotStarted(ILogger logger, string worker, Exception problem);

    [LoggerMessage(EventId = 3006, Level = LogLevel.Information, Message = "{Sessions} sessions were past their time and are removed.")]
    public static partial void SessionsExpired(ILogger logger, int sessions);

    [LoggerMessage(EventId = 3009, Level = LogLevel.Warning, Message = "The expired session {SequenceKey} could not be removed; the next sweep tries again.")]
    public static partial void SessionNotExpired(ILogger logger, string sequenceKey, Exception problem);

    [LoggerMessage(EventId = 3007, Level = LogLevel.Warning, Message = "Expired sessions could not be removed; the next sweep tries again.")]
    public static partial void SweepFailed(ILogger logger, Exception problem);
}
