namespace Concertina.Compute.Evaluation;

/// <summary>Sizes of an evaluation.</summary>
public sealed record EvaluationSettings
{
    /// <summary>Rungs that are compared with the lossless one, by name; arms that are on no ladder may be among them.</summary>
    public required IReadOnlyList<string> Rungs { get; init; }

    /// <summary>KV budget, in bytes; all rungs' copies of one window and one document must fit.</summary>
    public long BudgetBytes { get; init; } = 2L << 30;

    /// <summary>Tokens of one text that a step computes for each rung. Default 64: one column.</summary>
    public int ChunkTokens { get; init; } = 64;

    /// <summary>How rungs that evict choose: the method, or one of its ablations by name (<see cref="EvictionModes"/>).</summary>
    public string Eviction { get; init; } = EvictionModes.Method;

    /// <summary>
    /// True: rungs that evict do so when the question was read, as for a prompt that brings document and question. False: before,
    /// as for a conversation that asks later.
    /// </summary>
    public bool EvictsAfterQuestions { get; init; }

    /// <summary>True: the first page and the recent window are squeezed too; not for rungs that evict.</summary>
    public bool SqueezesWindow { get; init; }

    /// <summary>Threads; 0: one per core.</summary>
    public int Threads { get; init; }

    /// <summary>Threads that are meant.</summary>
    internal int ThreadCount => Threads == 0 ? Environment.ProcessorCount : Threads;
}
