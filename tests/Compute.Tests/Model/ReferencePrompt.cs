using System.Text.Json.Serialization;

namespace Concertina.Compute.Tests.Model;

/// <summary>One prompt of reference.json: what another engine computed in binary32 on the F16-rounded weights.</summary>
internal sealed record ReferencePrompt
{
    [JsonPropertyName("name")]
    public required string Name { get; init; }

    [JsonPropertyName("tokens")]
    public required int[] Tokens { get; init; }

    /// <summary>(token, logit) of the last position, best first.</summary>
    [JsonPropertyName("top10")]
    public required double[][] Top10 { get; init; }

    [JsonPropertyName("logsumexp")]
    public required double LogSumExp { get; init; }

    /// <summary>Full logits of the first 16 positions, for some prompts.</summary>
    [JsonPropertyName("logits_first_16")]
    public double[][]? FirstLogits { get; init; }

    [JsonPropertyName("greedy_32")]
    public required int[] Greedy { get; init; }
}

/// <summary>The whole of reference.json.</summary>
internal sealed record ReferenceFile
{
    [JsonPropertyName("prompts")]
    public required ReferencePrompt[] Prompts { get; init; }
}
