using Orleans;

namespace Concertina.Contracts.Workers;

/// <summary>One session whose KV a worker holds.</summary>
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

    /// <summary>Deepest rung of its units.</summary>
    [Id(6)] public required string Rung { get; init; }

    /// <summary>Rung it is on its way to.</summary>
    [Id(7)] public required string Target { get; init; }

    /// <summary>Deepest rung its last request allows.</summary>
    [Id(8)] public required string Floor { get; init; }
}
