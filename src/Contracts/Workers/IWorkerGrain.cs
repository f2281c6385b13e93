using Concertina.Contracts.Budget;
using Orleans;
using Orleans.Concurrency;

namespace Concertina.Contracts.Workers;

/// <summary>The cluster's door to one engine. Key: <c>silo/device</c>; placed on its silo.</summary>
[Alias("concertina.worker")]
public interface IWorkerGrain : IGrainWithStringKey
{
    /// <summary>Facts of the served model; null while it loads.</summary>
    [AlwaysInterleave]
    [Alias("facts")]
    Task<ModelFacts?> Facts(CancellationToken cancellation = default);

    /// <summary>The rungs the served model has here; null while it loads.</summary>
    [AlwaysInterleave]
    [Alias("ladder")]
    Task<KvLadder?> Ladder(CancellationToken cancellation = default);

    /// <summary>One part of the model's tokenizer bytes; an empty array marks the end.</summary>
    /// <param name="modelHash">Hash of the model the caller asks for.</param>
    /// <param name="offset">Byte offset; the answer holds at most 44 KiB.</param>
    /// <param name="cancellation">Cancels this call.</param>
    [AlwaysInterleave]
    [Alias("tokenizer")]
    Task<byte[]> TokenizerPart(string modelHash, int offset, CancellationToken cancellation = default);

    /// <summary>Load and memory now.</summary>
    [AlwaysInterleave]
    [Alias("load")]
    Task<WorkerLoad> Load(CancellationToken cancellation = default);

    /// <summary>KV memory in full: by rung, budget, what undo has to do.</summary>
    [AlwaysInterleave]
    [Alias("memory")]
    Task<WorkerMemory> Memory(CancellationToken cancellation = default);

    /// <summary>Sessions whose KV or files are here, a page at a time.</summary>
    [AlwaysInterleave]
    [Alias("sessions")]
    Task<SessionPage> Sessions(SessionQuery query, CancellationToken cancellation = default);

    /// <summary>Changes the KV budget until the next start. Answers once the engine has taken it up; a smaller one is approached after that.</summary>
    /// <param name="budgetBytes">The budget, in bytes.</param>
    /// <param name="cancellation">Cancels this call.</param>
    [AlwaysInterleave]
    [Alias("change-budget")]
    Task<BudgetChange> ChangeBudget(long budgetBytes, CancellationToken cancellation = default);

    /// <summary>
    /// Takes rung assignments. Idempotent, last one wins, applied between steps; refused when the epoch is older than
    /// the worker's own (a local reflex raises it).
    /// </summary>
    /// <returns>The epoch the worker has after the call.</returns>
    [AlwaysInterleave]
    [Alias("assign")]
    Task<long> Assign(RungAssignments assignments, CancellationToken cancellation = default);

    /// <summary>Takes no new work from now on; running generations go on.</summary>
    [AlwaysInterleave]
    [Alias("drain")]
    Task Drain(CancellationToken cancellation = default);
}
