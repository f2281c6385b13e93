using Concertina.Contracts.Workers;

namespace Concertina.Gateway.Admin;

/// <summary>A session and the worker that holds its KV.</summary>
internal sealed record PlacedSession(string Worker, HeldSession Session);

/// <summary>Some sessions in the order of their keys.</summary>
internal sealed record PlacedPage(PlacedSession[] Sessions, bool HasMore);
