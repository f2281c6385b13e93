using Concertina.Gateway.Wire;

namespace Concertina.Gateway.Generations;

/// <summary>How a generation ended, as the client is told.</summary>
/// <param name="FinishReason"><c>stop</c> or <c>length</c>.</param>
/// <param name="StopReason">The stop string that matched; null otherwise.</param>
/// <param name="Usage">What it used.</param>
internal sealed record Ending(string FinishReason, string? StopReason, Usage Usage);
