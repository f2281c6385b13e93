using Concertina.Compute.Engine;
using Concertina.Compute.Store;
using Microsoft.Extensions.Logging;

namespace Concertina.Grains;

/// <summary>Every log message of the grains. Keys name sessions; token ids and text never appear.</summary>
internal static partial class GrainsLog
{
    [LoggerMessage(EventId = 2001, Level = LogLevel.Debug,
        Message = "Generation of {SequenceKey} ended: {Reason}; prompt tokens {PromptTokens}, cached {CachedTokens}, generated {GeneratedTokens}.")]
    public static partial void Ended(
        ILogger logger, string sequenceKey, FinishKind reason, int promptTokens, int cachedTokens, int generatedTokens);

    [LoggerMessage(EventId = 2002, Level = LogLevel.Error,
        Message = "Generation of {SequenceKey} failed at {ErrorCode}: {ErrorMessage}")]
    public static partial void Failed(ILogger logger, string sequenceKey, string errorCode, string errorMessage);

    [LoggerMessage(EventId = 2003, Level = LogLevel.Warning,
        Message = "The session file of {SequenceKey} is not whole ({Fault}: {Detail}); {Tokens} tokens are used, the rest is recomputed from what the client sends.")]
    public static partial void SessionFileFaulty(ILogger logger, string sequenceKey, SessionFileFault fault, string detail, int tokens);

    [LoggerMessage(EventId = 2004, Level = LogLevel.Warning,
        Message = "The tokens of {SequenceKey} were not saved ({Fault}: {Detail}); after a restart its next request computes the whole prompt.")]
    public static partial void SessionNotSaved(ILogger logger, string sequenceKey, SessionFileFault fault, string detail);

    [LoggerMessage(EventId = 2005, Level = LogLevel.Warning,
        Message = "The state of {SequenceKey} was not written; its token file is left as it was.")]
    public static partial void StateNotWritten(ILogger logger, string sequenceKey, Exception problem);

    [LoggerMessage(EventId = 2006, Level = LogLevel.Warning,
        Message = "The engine did not end the cancelled generation of {SequenceKey} within {WaitSeconds} s; the session stays busy in the engine.")]
    public static partial void EndNotSeen(ILogger logger, string sequenceKey, double waitSeconds);

    [LoggerMessage(EventId = 2007, Level = LogLevel.Error,
        Message = "What a request of {SequenceKey} left could not be kept; the session goes on from what was kept before.")]
    public static partial void EndFailed(ILogger logger, string sequenceKey, Exception problem);

    [LoggerMessage(EventId = 2010, Level = LogLevel.Information,
        Message = "Worker {Worker} starts with epoch {Epoch}.")]
    public static partial void WorkerStarted(ILogger logger, string worker, long epoch);

    [LoggerMessage(EventId = 2011, Level = LogLevel.Warning,
        Message = "The report of worker {Worker} did not reach the budget grain; the next one lists all sessions.")]
    public static partial void ReportFailed(ILogger logger, string worker, Exception problem);

    [LoggerMessage(EventId = 2012, Level = LogLevel.Warning,
        Message = "Worker {Worker} refused assignments of epoch {Epoch}; its own is {OwnEpoch}.")]
    public static partial void AssignmentsRefused(ILogger logger, string worker, long epoch, long ownEpoch);

    [LoggerMessage(EventId = 2013, Level = LogLevel.Warning,
        Message = "Worker {Worker} has no rung '{Rung}' on its ladder; {SequenceKey} keeps its rung.")]
    public static partial void UnknownRung(ILogger logger, string worker, string sequenceKey, string rung);

    [LoggerMessage(EventId = 2014, Level = LogLevel.Debug,
        Message = "Worker {Worker} does not hold {SequenceKey}; its assignment to '{Rung}' is dropped.")]
    public static partial void UnknownSession(ILogger logger, string worker, string sequenceKey, string rung);

    [LoggerMessage(EventId = 2015, Level = LogLevel.Information,
        Message = "The KV budget of worker {Worker} is to be {TargetBytes} bytes; it is {ActualBytes} now (held up by: {Hold}).")]
    public static partial void BudgetChanged(ILogger logger, string worker, long targetBytes, long actualBytes, KvBudgetHold hold);

    [LoggerMessage(EventId = 2016, Level = LogLevel.Warning,
        Message = "Worker {Worker} cannot have a KV budget of {Bytes} bytes: {Reason}")]
    public static partial void BudgetRefused(ILogger logger, string worker, long bytes, string reason);

    [LoggerMessage(EventId = 2017, Level = LogLevel.Warning,
        Message = "Worker {Worker} could not tell a tenant what it holds of the KV memory; the next time tells it too.")]
    public static partial void ChargeFailed(ILogger logger, string worker, Exception problem);

    [LoggerMessage(EventId = 2020, Level = LogLevel.Warning,
        Message = "The usage of tenant {TenantId} was not written.")]
    public static partial void UsageNotWritten(ILogger logger, string tenantId, Exception problem);
}
