using System.Text.Json.Serialization;
using Concertina.Contracts.Workers;
using Concertina.Gateway.Admin;

namespace Concertina.Gateway.Wire.Admin;

/// <summary>Sessions with KV in memory or files on disk, as <c>GET /admin/sessions</c> shows them.</summary>
/// <param name="Data">In the order of their ids.</param>
/// <param name="HasMore">True when others follow the last one.</param>
internal sealed record SessionList(SessionList.Entry[] Data, bool HasMore)
{
    [JsonPropertyOrder(-1)]
    public string Object { get; } = "list";

    public static SessionList Of(PlacedPage page) => new([.. page.Sessions.Select(Of)], page.HasMore);

    private static Entry Of(PlacedSession placed)
    {
        string key = placed.Session.SequenceKey;
        return new Entry(key, key[..Math.Max(0, key.IndexOf('/', StringComparison.Ordinal))], placed.Worker, StateOf(placed.Session))
        {
            Tokens = placed.Session.Tokens,
            KvBytes = placed.Session.Bytes,
            DiskBytes = placed.Session.DiskBytes,
            Ratio = placed.Session.Resting ? null : placed.Session.Bytes > 0 ? (double)placed.Session.LosslessBytes / placed.Session.Bytes : 1,
            Exact = placed.Session.Resting ? null : placed.Session.Exact,
            Rung = placed.Session.Resting ? null : placed.Session.Rung,
            Target = placed.Session.Resting ? null : placed.Session.Target,
            Floor = placed.Session.Resting ? null : placed.Session.Floor,
        };
    }

    private static string StateOf(HeldSession session) => session.Running ? "running" : session.Resting ? "resting" : "idle";

    /// <summary>One session. The id is <c>tenant/session</c>, or <c>tenant/~random</c> for a request without a session.</summary>
    internal sealed record Entry(string Id, string Tenant, string Worker, string State)
    {
        [JsonPropertyOrder(-1)]
        public string Object { get; } = "kv.session";

        /// <summary>Tokens whose KV is in memory.</summary>
        public required int Tokens { get; init; }

        /// <summary>Physical bytes of it.</summary>
        public required long KvBytes { get; init; }

        /// <summary>Bytes of its files, of tokens and of KV.</summary>
        public required long DiskBytes { get; init; }

        /// <summary>Bytes it would take on the lossless rung, by those it takes; null while nothing is in memory, as all below.</summary>
        public required double? Ratio { get; init; }

        /// <summary>True while every column is exact.</summary>
        public required bool? Exact { get; init; }

        /// <summary>Deepest rung of its units.</summary>
        public required string? Rung { get; init; }

        /// <summary>Rung it is on its way to.</summary>
        public required string? Target { get; init; }

        /// <summary>Deepest rung its last request allows.</summary>
        public required string? Floor { get; init; }
    }
}
