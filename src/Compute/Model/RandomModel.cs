using System.Security.Cryptography;
using System.Text;
using Concertina.Compute.Kernels;
using Concertina.Compute.Model.Weights;

namespace Concertina.Compute.Model;

/// <summary>
/// A model of a known shape with seeded random weights, for speed and memory measurements and for tests. Matrices are
/// uniform with standard deviation 1 / sqrt(columns), norms uniform in 0.9..1.1; text it generates means nothing.
/// </summary>
public sealed unsafe class RandomModel : ModelSource
{
    private const float Q8StandardDeviation = 73.9f; // of a uniform signed byte

    private readonly Dictionary<string, TensorShape> _shapes;
    private readonly TensorType _type;
    private readonly ulong _seed;

    private RandomModel(ModelConfig config, TensorType type, ulong seed)
        : base(config)
    {
        _type = type;
        _seed = seed;
        _shapes = LlamaTensors.All(config).ToDictionary(shape => shape.Name, StringComparer.Ordinal);
        ParameterCount = _shapes.Values.Sum(shape => (long)shape.Rows * shape.Columns);
        ContentHash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"random weights 1; {config}; {type}; {seed}")));
    }

    /// <inheritdoc/>
    public override string ContentHash { get; }

    /// <inheritdoc/>
    public override long ParameterCount { get; }

    /// <summary>Always empty.</summary>
    public override ReadOnlyMemory<byte> TokenizerBytes => default;

    internal override ReadOnlyMemory<float> RopeFrequencyDivisors => default;

    /// <summary>Makes a model of any shape.</summary>
    /// <param name="config">The shape.</param>
    /// <param name="type">Storage of the matrices; with Q8_0 all widths must be multiples of 32.</param>
    /// <param name="seed">Seed of the weights.</param>
    /// <exception cref="ArgumentException">A width does not fit the storage.</exception>
    public static RandomModel Create(ModelConfig config, TensorType type, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(config);
        int block = TensorLayout.BlockLength(type);
        foreach (int width in (int[])[config.EmbeddingLength, config.FeedForwardLength, config.QueryHeadCount * config.HeadDim])
        {
            if (width % block != 0)
            {
                throw new ArgumentException($"Width {width} of model '{config.Name}' is not a multiple of {block}, the block of {type}.", nameof(config));
            }
        }
        return new(config, type, seed);
    }

    /// <summary>Makes a model of a named shape.</summary>
    /// <param name="shape">One of <see cref="ModelShapes.Names"/>.</param>
    /// <param name="type">Storage of the matrices.</param>
    /// <param name="seed">Seed of the weights.</param>
    /// <exception cref="ArgumentException">The shape is not known.</exception>
    public static RandomModel Create(string shape, TensorType type, ulong seed) => Create(ModelShapes.Find(shape), type, seed);

    internal override WeightTensor OpenTensor(string name)
    {
        TensorShape shape = _shapes[name];
        ulong seed = _seed ^ BitConverter.ToUInt64(SHA256.HashData(Encoding.UTF8.GetBytes(name)));
        TensorType type = shape.Rows == 1 ? TensorType.F32 : _type;
        WeightTensor tensor = WeightTensor.Allocate(name, type, shape.Rows, shape.Columns);
        if (shape.Rows == 1)
        {
            FillDense(tensor, 0, seed, centre: 1, amplitude: 0.1f);
            return tensor;
        }
        float deviation = 1f / MathF.Sqrt(shape.Columns);
        Parallel.For(0, shape.Rows, row =>
        {
            if (type == TensorType.Q80)
            {
                FillQ8(tensor, row, seed, HalfConversion.ToHalf(deviation / Q8StandardDeviation));
            }
            else
            {
                FillDense(tensor, row, seed, centre: 0, amplitude: deviation * MathF.Sqrt(3));
            }
        });
        return tensor;
    }

    internal override Exception Invalid(string problem) => new InvalidOperationException($"Random model '{Config.Name}': {problem}");

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
    }

    private static void FillQ8(WeightTensor tensor, int row, ulong seed, ushort scale)
    {
        byte* block = tensor.Data + (row * tensor.RowBytes);
        ulong counter = seed + ((ulong)row << 32);
        for (int column = 0; column < tensor.Columns; column += TensorLayout.Q8BlockLength)
        {
            *(ushort*)block = scale;
            for (int i = 0; i < TensorLayout.Q8BlockLength; i += sizeof(ulong))
            {
                *(ulong*)(block + 2 + i) = Mix(counter++);
            }
            block += TensorLayout.Q8BlockBytes;
        }
    }

    private static void FillDense(WeightTensor tensor, int row, ulong seed, float centre, float amplitude)
    {
        byte* target = tensor.Data + (row * tensor.RowBytes);
        ulong counter = seed + ((ulong)row << 32);
        for (int column = 0; column < tensor.Columns; column++)
        {
            float value = centre + (amplitude * ((int)Mix(counter++) * (1f / (1L << 31))));
            switch (tensor.Type)
            {
                case TensorType.F32:
                    ((float*)target)[column] = value;
                    break;
                case TensorType.F16:
                    ((ushort*)target)[column] = HalfConversion.ToHalf(value);
                    break;
                default:
                    ((ushort*)target)[column] = (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16);
                    break;
            }
        }
    }

    /// <summary>The finalizer of SplitMix64: a bijection that scatters a counter.</summary>
    private static ulong Mix(ulong counter)
    {
        ulong z = counter * 0x9E37_79B9_7F4A_7C15;
        z = (z ^ (z >> 30)) * 0xBF58_476D_1CE4_E5B9;
        z = (z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB;
        return z ^ (z >> 31);
    }
}
