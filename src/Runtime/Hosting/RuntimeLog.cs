using Microsoft.Extensions.Logging;
using Orleans;
using Orleans.Runtime;

namespace Concertina.Runtime.Hosting;

/// <summary>Every log message of the grain host.</summary>
internal static partial class RuntimeLog
{
    [LoggerMessage(1000, LogLevel.Information, "Silo {SiloName} started at {SiloAddress}")]
    internal static partial void SiloStarted(ILogger logger, string siloName, SiloAddress siloAddress);

    [LoggerMessage(1001, LogLevel.Information, "Silo {SiloName} stopped; {LeftActivations} activations were left")]
    internal static partial void SiloStopped(ILogger logger, string siloName, int leftActivations);

    [LoggerMessage(1002, LogLevel.Warning, "Shutdown was cut short; {LeftActivations} activations did not end in time")]
    internal static partial void ShutdownCutShort(ILogger logger, int leftActivations);

    [LoggerMessage(1010, LogLevel.Debug, "Activated {GrainId}")]
    internal static partial void Activated(ILogger logger, GrainId grainId);

    [LoggerMessage(1011, LogLevel.Error, "Activation of {GrainId} failed")]
    internal static partial void ActivationFailed(ILogger logger, Exception exception, GrainId grainId);

    [LoggerMessage(1012, LogLevel.Debug, "Deactivated {GrainId}: {Reason}, {Description}")]
    internal static partial void Deactivated(ILogger logger, GrainId grainId, DeactivationReasonCode reason, string description);

    [LoggerMessage(1013, LogLevel.Error, "Deactivation of {GrainId} failed; the activation ends all the same")]
    internal static partial void DeactivationFailed(ILogger logger, Exception exception, GrainId grainId);

    [LoggerMessage(1014, LogLevel.Warning, "Requests of {GrainId} did not end within {TimeoutSeconds} s of its deactivation; they are cancelled")]
    internal static partial void RequestsOutlivedDeactivation(ILogger logger, GrainId grainId, double timeoutSeconds);

    [LoggerMessage(1020, LogLevel.Warning, "No answer from {Call} within {TimeoutSeconds} s; the request {State}")]
    internal static partial void CallTimedOut(ILogger logger, string call, double timeoutSeconds, string state);

    [LoggerMessage(1021, LogLevel.Warning, "Refused {Call}: {MailboxLimit} requests wait already")]
    internal static partial void MailboxFull(ILogger logger, string call, int mailboxLimit);

    [LoggerMessage(1030, LogLevel.Error, "A timer of {GrainId} failed; it goes on ticking")]
    internal static partial void TimerFailed(ILogger logger, Exception exception, GrainId grainId);

    [LoggerMessage(1040, LogLevel.Information, "Ended a stream of {GrainId}: nobody pulled it for {IntervalSeconds} s")]
    internal static partial void ConsumerGone(ILogger logger, GrainId grainId, double intervalSeconds);

    [LoggerMessage(1041, LogLevel.Warning, "An iterator of {GrainId} failed after it was stopped")]
    internal static partial void IteratorFailedAfterStop(ILogger logger, Exception exception, GrainId grainId);
}
