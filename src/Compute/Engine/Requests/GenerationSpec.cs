namespace Concertina.Compute.Engine;

/// <summary>One generation as the engine runs it.</summary>
public sealed record GenerationSpec
{
    private const double PriorityFactor = 4;

    /// <summary>Unique id of the request.</summary>
    public required string RequestId { get; init; }

    /// <summary>The whole prompt, at least one token.</summary>
    public required ReadOnlyMemory<int> Prompt { get; init; }

    /// <summary>Most tokens to generate, at least 1; null: until a stop token or the context's end.</summary>
    public int? MaxNewTokens { get; init; }

    /// <summary>How tokens are drawn.</summary>
    public SamplingSpec Sampling { get; init; } = SamplingSpec.Greedy;

    /// <summary>Token ids that end the generation.</summary>
    public ReadOnlyMemory<int> StopTokens { get; init; }

    /// <summary>What may happen to its KV cache.</summary>
    public KvSpec Kv { get; init; } = new();

    /// <summary>True: only exact columns may be reused and nothing may squeeze it.</summary>
    public bool Lossless => Kv.Mode == KvMode.Lossless;

    /// <summary>Scheduling weight of the tenant, above 0.</summary>
    public double Weight { get; init; } = 1;

    /// <summary>Priority of the tenant.</summary>
    public RequestPriority Priority { get; init; }

    /// <summary>What its distortion counts in the plan of rungs: <see cref="Weight"/>, four times as much or a quarter by priority.</summary>
    public double PlanWeight => Priority switch
    {
        RequestPriority.Low => Weight / PriorityFactor,
        RequestPriority.High => Weight * PriorityFactor,
        _ => Weight,
    };
}
