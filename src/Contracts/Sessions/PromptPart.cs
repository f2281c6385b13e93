using Orleans;

namespace Concertina.Contracts.Sessions;

/// <summary>One part of a prompt too long for one message.</summary>
/// <param name="RequestId">The request the part belongs to.</param>
/// <param name="TokenOffset">Index of the part's first token in the prompt; parts come in order, without gaps.</param>
/// <param name="Tokens">Packed tokens, at most 44 KiB.</param>
[GenerateSerializer]
[Immutable]
[Alias("concertina.prompt-part")]
public sealed record PromptPart(
    [property: Id(0)] string RequestId,
    [property: Id(1)] int TokenOffset,
    [property: Id(2)] byte[] Tokens);
