using Microsoft.Extensions.Logging;

namespace Concertina.Gateway.Telemetry;

/// <summary>Every log message of the gateway (4000s). No prompt text, no keys.</summary>
internal static partial class GatewayLog
{
    [LoggerMessage(4001, LogLevel.Debug, "Request {RequestId}: the client is gone.")]
    public static partial void ClientGone(this ILogger logger, string requestId);

    [LoggerMessage(4002, LogLevel.Error, "Request {RequestId} to {Path} failed.")]
    public static partial void RequestFailed(this ILogger logger, Exception failure, string requestId, string path);

    [LoggerMessage(4003, LogLevel.Warning, "The workers of model {Model} could not be seen; what was known of it stays.")]
    public static partial void ModelNotSeen(this ILogger logger, Exception failure, string model);

    [LoggerMessage(4004, LogLevel.Information, "Model {Model} is known: hash {Hash}, context {ContextTokens} tokens, from worker {Worker}.")]
    public static partial void ModelKnown(this ILogger logger, string model, string hash, int contextTokens, string worker);

    [LoggerMessage(4005, LogLevel.Warning, "The budget grain of model {Model} did not answer; routed by the last load snapshot.")]
    public static partial void RoutedBySnapshot(this ILogger logger, Exception failure, string model);

    [LoggerMessage(4006, LogLevel.Error, "The account of tenant {TenantId} did not answer; its request was refused.")]
    public static partial void TenantSilent(this ILogger logger, Exception failure, string tenantId);

    [LoggerMessage(4007, LogLevel.Error, "Usage of {GenerationId} could not be recorded: {PromptTokens} prompt tokens, {GeneratedTokens} generated. Its reservation stays: in the rate limits until they refill, in a token budget until the tenant's grain starts anew.")]
    public static partial void UsageLost(this ILogger logger, Exception failure, string generationId, int promptTokens, int generatedTokens);

    [LoggerMessage(4008, LogLevel.Error, "Generation {GenerationId} was lost after {Tokens} tokens.")]
    public static partial void GenerationLost(this ILogger logger, Exception failure, string generationId, int tokens);

    [LoggerMessage(4009, LogLevel.Error, "Generation {GenerationId} failed: {Code}: {Reason}")]
    public static partial void GenerationFailed(this ILogger logger, string generationId, string code, string reason);

    [LoggerMessage(4010, LogLevel.Warning, "Generation {GenerationId}: its end was not heard after a stop string; usage counts the tokens read.")]
    public static partial void FinishNotHeard(this ILogger logger, Exception failure, string generationId);

    [LoggerMessage(4011, LogLevel.Error, "Generation {GenerationId}: {What}.")]
    public static partial void StreamBroken(this ILogger logger, string generationId, string what);

    [LoggerMessage(4012, LogLevel.Warning, "Generation {GenerationId}: the cancel was not heard; dropping its stream cancels it.")]
    public static partial void CancelNotHeard(this ILogger logger, Exception failure, string generationId);

    [LoggerMessage(4013, LogLevel.Warning, "Generation {GenerationId}: its stream could not be closed.")]
    public static partial void StreamNotClosed(this ILogger logger, Exception failure, string generationId);

    [LoggerMessage(4014, LogLevel.Information, "Draining: no new work; running streams have {DrainSeconds} s.")]
    public static partial void Draining(this ILogger logger, double drainSeconds);

    [LoggerMessage(4015, LogLevel.Debug, "A request carried the field {Field}, which is not known and was ignored.")]
    public static partial void FieldIgnored(this ILogger logger, string field);

    [LoggerMessage(4017, LogLevel.Warning, "Model {Model} brought no chat template; the ChatML form stands in, whose marks it may not know.")]
    public static partial void TemplateMissing(this ILogger logger, string model);

    [LoggerMessage(4016, LogLevel.Debug, "Request {RequestId} as {GenerationId}: ended with {Reason}.")]
    public static partial void Finished(this ILogger logger, string requestId, string generationId, string reason);

    [LoggerMessage(4018, LogLevel.Warning, "The ladder of model {Model} could not be asked of worker {Worker}.")]
    public static partial void LadderNotHeard(this ILogger logger, Exception failure, string model, string worker);

    [LoggerMessage(4019, LogLevel.Warning, "{What} did not answer a question about usage or sessions.")]
    public static partial void AccountSilent(this ILogger logger, Exception failure, string what);
}
