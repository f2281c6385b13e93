using System.Buffers.Binary;
using Concertina.Compute.Model.Gguf;
using Concertina.Compute.Model.Weights;

namespace Concertina.Compute.Model;

/// <summary>
/// A GGUF model file, opened and checked: shape, tokenizer data, content hash, and the weights as a mapping that lives
/// until disposal. A runner copies the weights; dispose the file once the runner is made.
/// </summary>
public sealed unsafe class ModelFile : ModelSource
{
    private readonly GgufFile _file;
    private readonly float[] _ropeDivisors;

    private ModelFile(GgufFile file, ModelConfig config)
        : base(config)
    {
        _file = file;
        ParameterCount = CheckTensors();
        _ropeDivisors = ReadRopeDivisors();
        TokenizerBytes = new TokenizerJson(file, config.VocabularySize).Write();
        ContentHash = Gguf.ContentHash.Of(file.File);
    }

    /// <inheritdoc/>
    public override string ContentHash { get; }

    /// <inheritdoc/>
    public override long ParameterCount { get; }

    /// <inheritdoc/>
    public override ReadOnlyMemory<byte> TokenizerBytes { get; }

    internal override ReadOnlyMemory<float> RopeFrequencyDivisors => _ropeDivisors;

    /// <summary>Opens a model file and checks everything but the values of the weights.</summary>
    /// <param name="path">Path of a GGUF file.</param>
    /// <exception cref="ModelFileException">The file is damaged, or of a kind this engine does not run.</exception>
    public static ModelFile Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        GgufFile file = GgufFile.Open(path);
        try
        {
            return new ModelFile(file, new LlamaConfigReader(file).Read());
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    internal override WeightTensor OpenTensor(string name)
    {
        GgufTensor tensor = _file.Tensors[name];
        return new(name, tensor.Type, (int)tensor.Rows, (int)tensor.Columns, _file.File.Pointer(tensor.Offset, tensor.ByteCount));
    }

    internal override Exception Invalid(string problem) => Error(problem);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing) => _file.Dispose();

    private long CheckTensors()
    {
        HashSet<string> unused = [.. _file.Tensors.Keys];
        long parameters = 0;
        foreach (TensorShape shape in LlamaTensors.All(Config))
        {
            if (!_file.Tensors.TryGetValue(shape.Name, out GgufTensor tensor))
            {
                throw Error($"tensor '{shape.Name}' is missing.");
            }
            if (tensor.Rows != shape.Rows || tensor.Columns != shape.Columns)
            {
                throw Error($"tensor '{shape.Name}' has shape {tensor.Columns} x {tensor.Rows}; expected {shape.Columns} x {shape.Rows}.");
            }
            if (shape.Rows == 1 && tensor.Type != TensorType.F32)
            {
                throw Error($"tensor '{shape.Name}' is stored as {TensorLayout.Name((uint)tensor.Type)}; norms are expected in F32.");
            }
            parameters += tensor.Rows * tensor.Columns;
            unused.Remove(shape.Name);
        }
        unused.Remove(LlamaTensors.RopeFrequencies);
        return unused.Count == 0
            ? parameters
            : throw Error($"tensor '{unused.Order(StringComparer.Ordinal).First()}' is not part of the llama architecture as this engine knows it ({unused.Count} such).");
    }

    private float[] ReadRopeDivisors()
    {
        if (!_file.Tensors.TryGetValue(LlamaTensors.RopeFrequencies, out GgufTensor tensor))
        {
            return [];
        }
        int pairs = Config.RopeDim / 2;
        if (tensor.Type != TensorType.F32 || tensor.Columns != pairs || tensor.Rows != 1)
        {
            throw Error($"tensor '{tensor.Name}' is {tensor.Columns} x {tensor.Rows} of {TensorLayout.Name((uint)tensor.Type)}; expected {pairs} of F32.");
        }
        float[] divisors = new float[pairs];
        ReadOnlySpan<byte> bytes = _file.File.Span(tensor.Offset, (int)tensor.ByteCount);
        for (int i = 0; i < pairs; i++)
        {
            divisors[i] = BinaryPrimitives.ReadSingleLittleEndian(bytes[(i * sizeof(float))..]);
            if (!float.IsFinite(divisors[i]) || divisors[i] <= 0)
            {
                throw Error($"element {i} of tensor '{tensor.Name}' is {divisors[i]}; a finite number above 0 is expected.");
            }
        }
        return divisors;
    }

    private ModelFileException Error(string problem) => new(_file.File.Path, problem);
}
