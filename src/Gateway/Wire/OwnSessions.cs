using System.Text.Json.Serialization;
using Concertina.Gateway.Admin;

namespace Concertina.Gateway.Wire;

/// <summary>A tenant's sessions with KV in memory or files on disk, as <c>GET /v1/sessions</c> shows them.</summary>
/// <param name="Data">In the order of their names.</param>
/// <param name="HasMore">True when others follow the last one.</param>
internal sealed record OwnSessions(OwnSessions.Session[] Data, bool HasMore)
{
    [JsonPropertyOrder(-1)]
    public string Object { get; } = "list";

    public static OwnSessions Of(PlacedPage page) => new([.. page.Sessions.Select(placed => Of(placed.Session.SequenceKey, placed))], page.HasMore);

    private static Session Of(string key, PlacedSession placed) => new(
        key[(key.IndexOf('/', StringComparison.Ordinal) + 1)..], placed.Session.Running, placed.Session.Tokens, placed.Session.Bytes,
        placed.Session.DiskBytes, placed.Session.Resting ? null : placed.Session.Exact, placed.Session.Resting ? null : placed.Session.Rung);

    /// <summary>One session; its members mean what they mean in <see cref="SessionObject"/>. Null: nothing of it is in memory.</summary>
    internal sealed record Session(string Id, bool Busy, int WarmTokens, long KvBytes, long DiskBytes, bool? Exact, string? Rung)
    {
        [JsonPropertyOrder(-1)]
        public string Object { get; } = "session";
    }
}
