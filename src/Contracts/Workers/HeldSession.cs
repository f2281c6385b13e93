using Orleans;

namespace Concertina.Contracts.Workers;

/// <summary>One session whose KV a worker holds, or whose files rest on its disk.</summary>
[GenerateSerializer]
[Immutable]
[Alias("concertina.held-session")]
public sealed record HeldSession
{
    /// <summary>Grain key, <c>tenant/session</c>; <c>tenant/~random</c> for a request without a session.</summary>
    [Id(0)] public required string SequenceKey { get; init; }

    /// <summary>True while it holds a commitment.</summary>
    [Id(1)] public required bool Running { get; init; }

    /// <summary>Tokens with units in memory.</summary>
    [Id(2)] public required int Tokens { get; init; }

    /// <summary>Physical bytes its table refers to.</summary>
    [Id(3)] public required long Bytes { get; init; }

    /// <summary>Bytes its tokens would take on the lossless rung.</summary>
    [Id(4)] public required long LosslessBytes { get; init; }

    /// <summary>True while every column is exact.</summary>
    [Id(5)] public required bool Exact { get; init; }

    /// <summary>Deepest rung of its units; empty while none is in memory.</summary>
    [Id(6)] public required string Rung { get; init; }

    /// <summary>Rung it is on its way to; empty while none of its units is in memory.</summary>
    [Id(7)] public required string Target { get; init; }

    /// <summary>Deepest rung its last request allows; empty while none of its units is in memory.</summary>
    [Id(8)] public required string Floor { get; init; }

    /// <summary>Bytes of its files, of tokens and of units.</summary>
    [Id(9)] public long DiskBytes { get; init; }

    /// <summary>True while nothing of it is in memory.</summary>
    [Id(10)] public bool Resting { get; init; }
}
