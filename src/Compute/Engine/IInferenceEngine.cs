using Concertina.Compute.Allocation;

namespace Concertina.Compute.Engine;

/// <summary>
/// An engine as its neighbours see it: sequences are opened here, and everything else happens through their handles.
/// Thread-safe.
/// </summary>
public interface IInferenceEngine : IAsyncDisposable
{
    /// <summary>State at the end of the last step.</summary>
    EngineSnapshot Snapshot { get; }

    /// <summary>The rungs of the served model that are in use now, lossless first.</summary>
    IReadOnlyList<KvRungFacts> Ladder { get; }

    /// <summary>What the rungs cost, for the plan; null: not known, and nothing is planned here.</summary>
    PlanLadder? Curve => null;

    /// <summary>Opens a sequence. Cheap; holds no units until something is submitted.</summary>
    /// <exception cref="ObjectDisposedException">The engine has ended.</exception>
    SequenceHandle Open(in SequenceIdentity identity);

    /// <summary>The sequences that hold units now; for reports to the budget grain.</summary>
    IReadOnlyList<SequenceSnapshot> Sequences();

    /// <summary>What each tenant holds and has held of the KV cache since the engine started; in the order they came.</summary>
    IReadOnlyList<TenantKv> Tenants() => [];

    /// <summary>Names the rung a sequence shall move to, within what its requests allow; the last one wins. Taken up between steps.</summary>
    /// <returns>False when no sequence with that key is open or the ladder has no such rung; nothing has changed then.</returns>
    bool Assign(string sequenceKey, string rung);

    /// <summary>
    /// Changes the KV budget. A larger one holds at once; a smaller one is approached in slices between steps, without an error
    /// to any stream: new requests are measured by it at once, sessions are squeezed towards their floors, and it is never
    /// below what running sequences are promised. Progress is in <see cref="EngineSnapshot.Budget"/>.
    /// </summary>
    /// <param name="budgetBytes">Bytes, at most the budget the cache was made with.</param>
    /// <returns>The state when the change was taken up. Faults with <see cref="ArgumentException"/>, which has the bytes, when the
    /// budget is above the cache's maximum or too small for one column; nothing has changed then.</returns>
    /// <exception cref="ObjectDisposedException">The engine has ended.</exception>
    Task<KvBudgetState> ChangeBudgetAsync(long budgetBytes);

    /// <summary>Refuses new work from now on; what is queued or running goes on.</summary>
    void Drain();
}
