using Concertina.Compute.Model.Weights;

namespace Concertina.Compute.Model;

/// <summary>Where a runner takes a model from: a file, or random weights of a known shape.</summary>
public abstract class ModelSource : IDisposable
{
    private protected ModelSource(ModelConfig config) => Config = config;

    /// <summary>Shape of the model.</summary>
    public ModelConfig Config { get; }

    /// <summary>Hash of everything that makes up the model, lower-case hexadecimal.</summary>
    public abstract string ContentHash { get; }

    /// <summary>Number of weights, a tied head counted once.</summary>
    public abstract long ParameterCount { get; }

    /// <summary>
    /// Tokenizer data as UTF-8 JSON for the tokenizer (which alone interprets it); empty if the model brings none.
    /// </summary>
    public abstract ReadOnlyMemory<byte> TokenizerBytes { get; }

    /// <summary>Divisors of the RoPE frequencies, one per pair of channels; empty for none.</summary>
    internal abstract ReadOnlyMemory<float> RopeFrequencyDivisors { get; }

    /// <summary>Opens a tensor whose shape has been checked; dispose it after use.</summary>
    /// <param name="name">Name as in <see cref="LlamaTensors"/>.</param>
    internal abstract WeightTensor OpenTensor(string name);

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Releases what the source holds.</summary>
    protected abstract void Dispose(bool disposing);

    /// <summary>The error for weights that cannot be used.</summary>
    internal abstract Exception Invalid(string problem);
}
