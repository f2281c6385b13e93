using Concertina.Compute.Model.Weights;

namespace Concertina.Compute.Model.Gguf;

/// <summary>
/// A GGUF file, version 2 or 3, little-endian, memory-mapped: metadata and tensor directory, all of it checked when the
/// file is opened, so that no later read can leave the file.
/// Source: the format's specification, https://github.com/ggml-org/ggml/blob/master/docs/gguf.md.
/// </summary>
internal sealed class GgufFile : IDisposable
{
    private const uint Magic = 0x4655_4747; // "GGUF"
    private const uint MaxDimensions = 4;
    private const int MaxTensorNameBytes = 1024;
    private const int MinimumTensorBytes = 8 + 1 + 4 + 8 + 4 + 8;
    private const int DefaultAlignment = 32;
    private const int MaxAlignment = 1 << 20;

    private readonly MappedFile _file;
    private readonly Dictionary<string, GgufTensor> _tensors = new(StringComparer.Ordinal);

    private GgufFile(MappedFile file)
    {
        _file = file;
        Metadata = new(file);
    }

    /// <summary>The key-value part.</summary>
    public GgufMetadata Metadata { get; }

    /// <summary>The tensor directory.</summary>
    public IReadOnlyDictionary<string, GgufTensor> Tensors => _tensors;

    /// <summary>The mapped bytes.</summary>
    public MappedFile File => _file;

    /// <summary>Opens and checks a file.</summary>
    /// <exception cref="ModelFileException">The file is not a sound GGUF file.</exception>
    public static GgufFile Open(string path)
    {
        MappedFile mapped = new(path);
        try
        {
            GgufFile file = new(mapped);
            file.Read();
            return file;
        }
        catch
        {
            mapped.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private void Read()
    {
        GgufReader reader = new(_file);
        ReadVersion(reader);
        long tensorCount = reader.ReadCount("the tensor count", MinimumTensorBytes);
        long keyCount = reader.ReadCount("the key count", GgufMetadata.MinimumBytes);
        Metadata.Read(reader, keyCount);
        int alignment = Metadata.Integer("general.alignment", 8, MaxAlignment, DefaultAlignment);
        if (!int.IsPow2(alignment))
        {
            throw reader.Error($"key 'general.alignment' is {alignment}; a power of two is expected.");
        }
        for (long i = 0; i < tensorCount; i++)
        {
            GgufTensor tensor = ReadTensor(reader, i, alignment);
            if (!_tensors.TryAdd(tensor.Name, tensor))
            {
                throw reader.Error($"tensor '{tensor.Name}' occurs twice.");
            }
        }
        PlaceTensors(reader, AlignUp(reader.Offset, alignment));
    }

    private static void ReadVersion(GgufReader reader)
    {
        uint magic = reader.ReadUInt32("the magic number");
        if (magic != Magic)
        {
            throw reader.Error($"starts with 0x{magic:X8}, not with 0x{Magic:X8} (\"GGUF\"); it is not a GGUF file.");
        }
        uint version = reader.ReadUInt32("the version");
        if (version is not (2 or 3))
        {
            string hint = (version & 0xFFFF) == 0 && version != 0 ? "the file is big-endian; convert it to little-endian." : "versions 2 and 3 are supported.";
            throw reader.Error($"has GGUF version {version}; {hint}");
        }
    }

    private static GgufTensor ReadTensor(GgufReader reader, long index, int alignment)
    {
        string name = reader.ReadString($"the name of tensor {index}", MaxTensorNameBytes);
        uint dimensions = reader.ReadUInt32($"the number of dimensions of tensor '{name}'");
        if (dimensions is 0 or > MaxDimensions)
        {
            throw reader.Error($"tensor '{name}' has {dimensions} dimensions; 1 to {MaxDimensions} are allowed.");
        }
        long columns = ReadDimension(reader, name);
        long rows = 1;
        for (uint d = 1; d < dimensions; d++)
        {
            Int128 product = (Int128)rows * ReadDimension(reader, name);
            rows = product <= reader.Remaining ? (long)product : throw TooLarge(reader, name, product);
        }
        uint typeNumber = reader.ReadUInt32($"the type of tensor '{name}'");
        TensorType type = (TensorType)typeNumber;
        if (!TensorLayout.IsKnown(type))
        {
            throw reader.Error(
                $"tensor '{name}' is stored as {TensorLayout.Name(typeNumber)}; supported are F32, F16, BF16 and Q8_0. Convert the model to one of these.");
        }
        if (columns % TensorLayout.BlockLength(type) != 0)
        {
            throw reader.Error($"tensor '{name}' has {columns} columns, not a multiple of the {TensorLayout.BlockLength(type)} of {TensorLayout.Name(typeNumber)}.");
        }
        ulong offset = reader.ReadUInt64($"the offset of tensor '{name}'");
        if (offset % (ulong)alignment != 0)
        {
            throw reader.Error($"tensor '{name}' lies at offset {offset}, not a multiple of the alignment {alignment}.");
        }
        Int128 bytes = (Int128)TensorLayout.RowBytes(type, columns) * rows;
        if (bytes > reader.Remaining || offset > (ulong)reader.Remaining)
        {
            throw reader.Error($"tensor '{name}' ({columns} x {rows}, {TensorLayout.Name(typeNumber)}, offset {offset}) needs {bytes} bytes; the file has {reader.Remaining} left. It is truncated or damaged.");
        }
        return new(name, type, columns, rows, (long)offset, (long)bytes);
    }

    private static long ReadDimension(GgufReader reader, string name)
    {
        ulong length = reader.ReadUInt64($"a dimension of tensor '{name}'");
        return length is > 0 && length <= int.MaxValue
            ? (long)length
            : throw reader.Error($"tensor '{name}' has a dimension of {length}; 1 to {int.MaxValue} are allowed.");
    }

    private static ModelFileException TooLarge(GgufReader reader, string name, Int128 rows) =>
        reader.Error($"tensor '{name}' has {rows} rows, but the file has {reader.Remaining} bytes left.");

    private void PlaceTensors(GgufReader reader, long dataStart)
    {
        foreach (GgufTensor tensor in _tensors.Values.ToArray())
        {
            GgufTensor placed = tensor with { Offset = dataStart + tensor.Offset };
            if (placed.Offset > _file.Length - placed.ByteCount)
            {
                throw reader.Error(
                    $"tensor '{tensor.Name}' ends at byte {placed.Offset + placed.ByteCount}, the file at {_file.Length}; it is truncated.");
            }
            _tensors[tensor.Name] = placed;
        }
        GgufTensor? previous = null;
        foreach (GgufTensor tensor in _tensors.Values.OrderBy(t => t.Offset))
        {
            if (previous is { } before && before.Offset + before.ByteCount > tensor.Offset)
            {
                throw reader.Error(
                    $"tensors '{before.Name}' (bytes {before.Offset} to {before.Offset + before.ByteCount}) and '{tensor.Name}' (from {tensor.Offset}) overlap.");
            }
            previous = tensor;
        }
    }

    private static long AlignUp(long offset, int alignment) => (offset + alignment - 1) & -(long)alignment;
}
