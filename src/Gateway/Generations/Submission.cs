using Concertina.Contracts.Sessions;

namespace Concertina.Gateway.Generations;

/// <summary>What goes to a session's grain.</summary>
/// <param name="Job">The request it answers.</param>
/// <param name="Sequence">The session's grain.</param>
/// <param name="Request">What to generate.</param>
/// <param name="Silo">Silo of the chosen worker, as a placement hint; null: none.</param>
internal sealed record Submission(ChatJob Job, ISequenceGrain Sequence, GenerateRequest Request, string? Silo);
