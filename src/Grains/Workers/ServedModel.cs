using Concertina.Compute.Engine;
using Concertina.Contracts.Workers;

namespace Concertina.Grains.Workers;

/// <summary>A loaded model with its engine. Whoever loaded it disposes the engine.</summary>
public sealed record ServedModel
{
    /// <summary>What gateways ask for.</summary>
    public required ModelFacts Facts { get; init; }

    /// <summary>The tokenizer's bytes, handed out in parts.</summary>
    public required ReadOnlyMemory<byte> TokenizerBytes { get; init; }

    /// <summary>The engine.</summary>
    public required IInferenceEngine Engine { get; init; }

    /// <summary>Part of the KV budget that is promised to nobody.</summary>
    public required long TranscodeReserveBytes { get; init; }

    /// <summary>KV bytes per column of 64 tokens at the deepest rung.</summary>
    public required long FloorBytesPerColumn { get; init; }

    /// <summary>Most requests that wait for admission.</summary>
    public required int QueueLimit { get; init; }
}
