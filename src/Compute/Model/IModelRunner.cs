namespace Concertina.Compute.Model;

/// <summary>
/// Runs the forward pass of one model on one device. The seam beside which a GPU runner can stand.
/// Called by one thread at a time (the engine's).
/// </summary>
public interface IModelRunner : IDisposable
{
    /// <summary>Shape of the model.</summary>
    ModelConfig Config { get; }

    /// <summary>
    /// Weights hash, kernel path and unit formats. Within one class the result of a row is bitwise independent of the
    /// other rows of the step, of chunk borders, thread count and prefix hits (the row law).
    /// </summary>
    string DeterminismClass { get; }

    /// <summary>Bytes of the weights in memory.</summary>
    long WeightBytes { get; }

    /// <summary>Bytes of the activations of a step; scratch that the cache counts in its budget is not among them.</summary>
    long ScratchBytes { get; }

    /// <summary>Most rows of a step.</summary>
    int MaxRows { get; }

    /// <summary>Most rows of a step that want logits.</summary>
    int MaxLogitRows { get; }

    /// <summary>
    /// One step: for every row of every span writes K and V to the span's page table (whose slots are reserved), attends
    /// causally to all slots at or before the row's position, and fills the logits of the rows that want them.
    /// Allocates nothing.
    /// </summary>
    void Forward(StepBatch batch);
}
