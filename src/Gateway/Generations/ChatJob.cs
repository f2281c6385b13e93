using Concertina.Contracts.Tenants;
using Concertina.Gateway.Chat;
using Concertina.Gateway.Http;
using Concertina.Gateway.Models;
using Concertina.Gateway.Tenants;

namespace Concertina.Gateway.Generations;

/// <summary>One checked chat request on its way.</summary>
/// <param name="Id">Id of the answer; also the id usage is recorded under, so it is never the caller's.</param>
/// <param name="Caller">Who pays.</param>
/// <param name="Model">Which model answers.</param>
/// <param name="Command">What to do.</param>
internal sealed record ChatJob(string Id, Caller Caller, ServedModel Model, ChatCommand Command)
{
    /// <summary>Id, timing and span of the HTTP request.</summary>
    public required RequestScope Scope { get; init; }

    /// <summary>Unix time in seconds at which the request came.</summary>
    public required long Created { get; init; }

    /// <summary>The tenant's limits as of this request; null until asked.</summary>
    public ReserveAnswer? Reserved { get; set; }

    /// <summary>Grain key of the session, or of a sequence of its own that leaves no state.</summary>
    public string SequenceKey => $"{Caller.TenantId}/{Command.Session ?? $"~{Id}"}";
}
