using System.Text.Json.Serialization;
using Concertina.Contracts.Sessions;

namespace Concertina.Gateway.Wire;

/// <summary>One session, as <c>GET /v1/sessions/{id}</c> shows it.</summary>
/// <param name="Id">Its name.</param>
/// <param name="Busy">True while a request runs.</param>
/// <param name="Tokens">Tokens of its sequence.</param>
/// <param name="WarmTokens">Of those, tokens whose KV is in memory.</param>
/// <param name="KvBytes">Physical bytes of that KV.</param>
/// <param name="Exact">True while every column is exact.</param>
/// <param name="Rung">Deepest rung of its KV.</param>
internal sealed record SessionObject(string Id, bool Busy, int Tokens, int WarmTokens, long KvBytes, bool Exact, string Rung)
{
    [JsonPropertyOrder(-1)]
    public string Object { get; } = "session";

    public static SessionObject Of(string id, SessionStatus status) =>
        new(id, status.Busy, status.TokenCount, status.WarmTokens, status.KvBytes, status.Exact, status.Rung);
}

/// <summary>The answer to <c>DELETE /v1/sessions/{id}</c>.</summary>
/// <param name="Id">Name of the session that is no more.</param>
internal sealed record SessionDeleted(string Id)
{
    [JsonPropertyOrder(-1)]
    public string Object { get; } = "session.deleted";

    public bool Deleted { get; } = true;
}
