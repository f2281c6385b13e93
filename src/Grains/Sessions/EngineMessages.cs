using Concertina.Compute.Engine;
using Concertina.Contracts.Sessions;
using Concertina.Contracts.Tenants;
using Concertina.Contracts.Workers;

namespace Concertina.Grains.Sessions;

/// <summary>The one table between the messages of the cluster and those of the engine.</summary>
internal static class EngineMessages
{
    public static GenerationSpec Spec(GenerateRequest request, ReadOnlyMemory<int> prompt) => new()
    {
        RequestId = request.RequestId,
        Prompt = prompt,
        MaxNewTokens = request.MaxNewTokens,
        Sampling = new SamplingSpec(
            request.Sampling.Temperature, request.Sampling.TopK, request.Sampling.TopP, request.Sampling.MinP, request.Sampling.Seed),
        StopTokens = request.StopTokens,
        Kv = new KvSpec
        {
            Mode = Mode(request.Policy),
            FloorRung = request.FloorRung,
            FloorNats = request.FloorNats,
            MaxRatio = request.MaxRatio,
            TenantFloorRung = request.TenantFloorRung,
            TenantFloorNats = request.TenantFloorNats,
        },
        Weight = request.Weight,
        Priority = Priority(request.Priority),
    };

    public static Refusal Refusal(EngineRefusal refusal) => new()
    {
        Reason = Reason(refusal.Kind),
        Message = refusal.Message,
        RetryAfterMs = refusal.RetryAfterMs,
        NeededBytes = refusal.NeededBytes,
        AvailableBytes = refusal.AvailableBytes,
        Param = refusal.Param,
    };

    public static FinishFacts Finish(GenerationEnd end) => new()
    {
        Reason = Reason(end.Kind),
        ErrorCode = end.ErrorCode,
        ErrorMessage = end.ErrorMessage,
        GeneratedTokens = end.GeneratedTokens,
        Rung = end.Rung,
        KvBytes = end.KvBytes,
        Exact = end.Exact,
        Waits = end.Waits,
        StopToken = end.StopToken,
        Bits = end.Bits,
        Ratio = end.Ratio,
        Distortion = end.Distortion,
        Transcodes = end.Transcodes,
    };

    public static KvLadder Ladder(IEnumerable<KvRungFacts> ladder) => new(
    [
        .. ladder.Select(rung => new KvRung
        {
            Name = rung.Name,
            Bits = rung.Bits,
            Ratio = rung.Ratio,
            BytesPerToken = rung.BytesPerToken,
            MeanKl = rung.MeanKl,
            P99Kl = rung.P99Kl,
            Recall = rung.Recall,
            NeedsProfile = rung.NeedsProfile,
        }),
    ]);

    private static KvMode Mode(KvPolicy policy) => policy switch
    {
        KvPolicy.Elastic => KvMode.Elastic,
        KvPolicy.Lossless => KvMode.Lossless,
        KvPolicy.Economy => KvMode.Economy,
        _ => throw new ArgumentOutOfRangeException(nameof(policy), policy, "The engine has no mode for this policy."),
    };

    private static RequestPriority Priority(TenantPriority priority) => priority switch
    {
        TenantPriority.Low => RequestPriority.Low,
        TenantPriority.Normal => RequestPriority.Normal,
        TenantPriority.High => RequestPriority.High,
        _ => throw new ArgumentOutOfRangeException(nameof(priority), priority, "The engine has no such priority."),
    };

    private static RefusalReason Reason(RefusalKind kind) => kind switch
    {
        RefusalKind.Busy => RefusalReason.SessionBusy,
        RefusalKind.ContextLength => RefusalReason.ContextLength,
        RefusalKind.NeverFits => RefusalReason.NeverFits,
        RefusalKind.QueueFull => RefusalReason.QueueFull,
        RefusalKind.Draining => RefusalReason.Draining,
        RefusalKind.Stalled => RefusalReason.Unavailable,
        RefusalKind.Invalid => RefusalReason.Invalid,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "The refusal kind has no reason on the wire."),
    };

    private static FinishReason Reason(FinishKind kind) => kind switch
    {
        FinishKind.Stop => FinishReason.Stop,
        FinishKind.Length => FinishReason.Length,
        FinishKind.Cancelled => FinishReason.Cancelled,
        FinishKind.Error => FinishReason.Error,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "The finish kind has no reason on the wire."),
    };
}
