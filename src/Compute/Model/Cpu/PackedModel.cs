using Concertina.Compute.Kernels;
using Concertina.Compute.Kernels.Matrices;
using Concertina.Compute.Model.Weights;

namespace Concertina.Compute.Model.Cpu;

/// <summary>All weights of a model, packed for the kernels. The only copy once its source is disposed.</summary>
internal sealed class PackedModel : IDisposable
{
    private readonly SortedSet<string> _formats = new(StringComparer.Ordinal);
    private readonly List<PackedMatrix> _matrices = [];

    private PackedModel(ModelSource source, KernelPath path)
    {
        try
        {
            ModelConfig config = source.Config;
            Embedding = Matrix(source, LlamaTensors.Embedding, path);
            Head = config.TiedHead ? Embedding : Matrix(source, LlamaTensors.Head, path);
            OutputNorm = Vector(source, LlamaTensors.OutputNorm);
            Layers = new LayerWeights[config.LayerCount];
            for (int layer = 0; layer < Layers.Length; layer++)
            {
                Layers[layer] = new()
                {
                    AttentionNorm = Vector(source, LlamaTensors.AttentionNorm(layer)),
                    Query = Matrix(source, LlamaTensors.Query(layer), path),
                    Key = Matrix(source, LlamaTensors.Key(layer), path),
                    Value = Matrix(source, LlamaTensors.Value(layer), path),
                    AttentionOutput = Matrix(source, LlamaTensors.AttentionOutput(layer), path),
                    FeedForwardNorm = Vector(source, LlamaTensors.FeedForwardNorm(layer)),
                    Gate = Matrix(source, LlamaTensors.Gate(layer), path),
                    Up = Matrix(source, LlamaTensors.Up(layer), path),
                    Down = Matrix(source, LlamaTensors.Down(layer), path),
                };
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Token embeddings, [vocabulary, embedding].</summary>
    public PackedMatrix Embedding { get; }

    /// <summary>Output head; the embeddings themselves if tied.</summary>
    public PackedMatrix Head { get; }

    /// <summary>Weights of the final norm.</summary>
    public float[] OutputNorm { get; }

    /// <summary>The layers.</summary>
    public LayerWeights[] Layers { get; }

    /// <summary>Bytes of all weights.</summary>
    public long ByteCount { get; private set; }

    /// <summary>Formats of the matrices, for the determinism class.</summary>
    public string Formats => string.Join('/', _formats);

    /// <summary>True if some matrix multiplies quantised activations.</summary>
    public bool AnyQuantised => _matrices.Exists(matrix => matrix.TakesQuantised);

    /// <summary>Packs every tensor of a source.</summary>
    public static PackedModel Pack(ModelSource source, KernelPath path) => new(source, path);

    /// <inheritdoc/>
    public void Dispose() => _matrices.ForEach(matrix => matrix.Dispose());

    private PackedMatrix Matrix(ModelSource source, string name, KernelPath path)
    {
        using WeightTensor tensor = source.OpenTensor(name);
        try
        {
            PackedMatrix matrix = PackedMatrix.Pack(tensor, path);
            _matrices.Add(matrix);
            _formats.Add(TensorLayout.Name((uint)tensor.Type).ToLowerInvariant());
            ByteCount += matrix.ByteCount;
            return matrix;
        }
        catch (InvalidDataException exception)
        {
            throw source.Invalid(exception.Message);
        }
    }

    private unsafe float[] Vector(ModelSource source, string name)
    {
        using WeightTensor tensor = source.OpenTensor(name);
        float[] vector = new ReadOnlySpan<float>(tensor.Data, tensor.Columns).ToArray();
        int bad = Array.FindIndex(vector, weight => !float.IsFinite(weight));
        if (bad >= 0)
        {
            throw source.Invalid($"tensor '{name}', element {bad}: the weight is {vector[bad]}; weights must be finite.");
        }
        ByteCount += vector.Length * (long)sizeof(float);
        return vector;
    }
}
