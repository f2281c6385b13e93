using Orleans;

namespace Concertina.Grains.Sessions;

/// <summary>Durable state of one session. Its token ids are in its file.</summary>
[GenerateSerializer]
[Alias("concertina.sequence-state")]
public sealed record SequenceState
{
    /// <summary>Name of the state in its store.</summary>
    public const string StateName = "session";

    /// <summary>Worker that held the session's units last.</summary>
    [Id(0)] public string Home { get; init; } = "";

    /// <summary>Rises with each owner of the session; a file or state with a higher one belongs to a newer owner.</summary>
    [Id(1)] public long Epoch { get; init; }

    /// <summary>Tokens of the sequence.</summary>
    [Id(2)] public int TokenCount { get; init; }

    /// <summary>Chained hash of the sequence's full columns, as routing uses it.</summary>
    [Id(3)] public ulong ChainedHash { get; init; }

    /// <summary>Rung the session's units were on.</summary>
    [Id(4)] public string Rung { get; init; } = "f16";

    /// <summary>Distortion ceiling in nats per token; null: the tenant's.</summary>
    [Id(5)] public double? FloorNats { get; init; }

    /// <summary>Token file, relative to the store.</summary>
    [Id(6)] public string FileName { get; init; } = "";

    /// <summary>Requests of the session that ran.</summary>
    [Id(7)] public long Requests { get; init; }

    /// <summary>Prompt tokens of all requests.</summary>
    [Id(8)] public long PromptTokens { get; init; }

    /// <summary>Generated tokens of all requests.</summary>
    [Id(9)] public long GeneratedTokens { get; init; }
}
