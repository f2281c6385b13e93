using System.Diagnostics.Metrics;
using Concertina.Compute.KvCache;
using Concertina.Compute.Model;

namespace Concertina.Compute.Engine;

/// <summary>
/// Serves one model on one device: continuous batching over a paged KV cache. One thread owns the step loop
/// (schedule, forward, sample, deliver); everything public is thread-safe.
/// </summary>
public sealed class InferenceEngine : IInferenceEngine
{
    /// <summary>Makes an engine and starts its loop. It owns neither runner nor cache.</summary>
    public InferenceEngine(
        IModelRunner runner, PagedKvCache cache, EngineOptions options, TimeProvider time, IMeterFactory? meters = null) =>
        throw new NotImplementedException();

    /// <summary>State at the end of the last step.</summary>
    public EngineSnapshot Snapshot => throw new NotImplementedException();

    /// <summary>Opens a sequence. Cheap; holds no units until something is submitted.</summary>
    public SequenceHandle Open(in SequenceIdentity identity) => throw new NotImplementedException();

    /// <summary>The sequences that hold units now; for reports to the budget grain.</summary>
    public IReadOnlyList<SequenceSnapshot> Sequences() => throw new NotImplementedException();

    /// <summary>Refuses new work from now on; running generations go on.</summary>
    public void Drain() => throw new NotImplementedException();

    /// <summary>Ends the loop after the current step; running generations end with an error that says so.</summary>
    public ValueTask DisposeAsync() => throw new NotImplementedException();
}
