namespace Concertina.Gateway.Wire;

/// <summary>Options of a stream; other members are ignored.</summary>
internal sealed record StreamOptions(bool? IncludeUsage);
