using System.Runtime.InteropServices;
using Concertina.Compute.KvCache.Codecs.CommVq.Books;

namespace Concertina.Compute.Profile;

/// <summary>
/// CommVQ codebooks as tensors: <c>commvq.keys.z</c> [heads, stages, levels, headDim] in F16, <c>commvq.keys.mean</c>
/// [heads, headDim] in F32, <c>commvq.values.c</c> and <c>commvq.values.mean</c> likewise. Rows of keys are real parts, then
/// imaginary parts. Books of an arm have its name in place of <c>commvq</c>, untied ones a second table <c>.keys.y</c>.
/// <c>commvq.keys.residual</c> and <c>commvq.values.residual</c> [heads, 2] in F32 are <see cref="CommVqResiduals"/>.
/// </summary>
internal static class BookTensors
{
    /// <summary>Prefix of the books of the ladder.</summary>
    public const string Ladder = "commvq";

    private const string KeyRows = ".keys.z";
    private const string SecondKeyRows = ".keys.y";
    private const string KeyMeans = ".keys.mean";
    private const string ValueRows = ".values.c";
    private const string ValueMeans = ".values.mean";
    private const string KeyResiduals = Ladder + ".keys.residual";
    private const string ValueResiduals = Ladder + ".values.residual";

    /// <summary>Adds books to a file.</summary>
    /// <param name="books">Books.</param>
    /// <param name="file">File.</param>
    /// <param name="prefix">What the names of the tensors begin with.</param>
    /// <exception cref="ArgumentException">A codeword is too large for F16.</exception>
    public static void Write(CommVqBooks books, SafeTensorsFile file, string prefix = Ladder)
    {
        long heads = books.HeadCount;
        BookLayout keys = books.Keys[0].Layout;
        BookLayout values = books.Values[0].Layout;
        long headDim = keys.HeadDim;
        file.Tensors.Add(prefix + KeyRows, Halves([heads, keys.Stages, keys.Levels, headDim], books.Keys.Select(book => book.Rows)));
        if (!books.Keys[0].IsTied)
        {
            file.Tensors.Add(prefix + SecondKeyRows, Halves([heads, keys.Stages, keys.Levels, headDim], books.Keys.Select(book => book.SecondRows)));
        }
        file.Tensors.Add(prefix + KeyMeans, Singles([heads, headDim], books.Keys.Select(book => book.Mean)));
        file.Tensors.Add(prefix + ValueRows, Halves([heads, values.Stages, values.Levels, headDim], books.Values.Select(book => book.Rows)));
        file.Tensors.Add(prefix + ValueMeans, Singles([heads, headDim], books.Values.Select(book => book.Mean)));
    }

    /// <summary>The books of a file, or null if it has none.</summary>
    /// <param name="file">The file.</param>
    /// <param name="headCount">Heads of the model.</param>
    /// <param name="headDim">Channels of a head.</param>
    /// <param name="prefix">What the names of the tensors begin with.</param>
    /// <exception cref="KvProfileException">They are incomplete, of another shape, or not finite.</exception>
    public static CommVqBooks? Read(SafeTensorsFile file, int headCount, int headDim, string prefix = Ladder)
    {
        if (!file.Tensors.ContainsKey(prefix + KeyRows) && !file.Tensors.ContainsKey(prefix + ValueRows))
        {
            return null;
        }
        try
        {
            float[][] keyRows = Rows(file, prefix + KeyRows, "F16", headCount, headDim, out BookLayout keys);
            float[][]? secondRows = file.Tensors.ContainsKey(prefix + SecondKeyRows)
                ? Rows(file, prefix + SecondKeyRows, "F16", headCount, headDim, out _)
                : null;
            float[][] valueRows = Rows(file, prefix + ValueRows, "F16", headCount, headDim, out BookLayout values);
            float[][] keyMeans = Rows(file, prefix + KeyMeans, "F32", headCount, headDim, out _);
            float[][] valueMeans = Rows(file, prefix + ValueMeans, "F32", headCount, headDim, out _);
            return new CommVqBooks(
                [.. keyRows.Select((rows, head) => new KeyBook(keys, rows, secondRows?[head], keyMeans[head]))],
                [.. valueRows.Select((rows, head) => new ValueBook(values, rows, valueMeans[head]))]);
        }
        catch (ArgumentException problem)
        {
            throw new KvProfileException($"The profile's CommVQ codebooks cannot be used: {problem.Message} Calibrate the model anew.", problem);
        }
    }

    /// <summary>Adds residuals to a file.</summary>
    public static void Write(CommVqResiduals residuals, SafeTensorsFile file)
    {
        long[] shape = [residuals.Keys.Count / 2, 2];
        file.Tensors.Add(KeyResiduals, Singles(shape, [residuals.Keys.ToArray()]));
        file.Tensors.Add(ValueResiduals, Singles(shape, [residuals.Values.ToArray()]));
    }

    /// <summary>The residuals of a file, or null if it has none.</summary>
    /// <exception cref="KvProfileException">They are incomplete, or not positive numbers.</exception>
    public static CommVqResiduals? ReadResiduals(SafeTensorsFile file, int headCount)
    {
        if (!file.Tensors.ContainsKey(KeyResiduals) && !file.Tensors.ContainsKey(ValueResiduals))
        {
            return null;
        }
        float[] keys = [.. Rows(file, KeyResiduals, "F32", headCount, 2, out _).SelectMany(head => head)];
        float[] values = [.. Rows(file, ValueResiduals, "F32", headCount, 2, out _).SelectMany(head => head)];
        return keys.Concat(values).All(residual => float.IsFinite(residual) && residual >= 0)
            ? new CommVqResiduals(keys, values)
            : throw new KvProfileException("The profile's residuals hold something that is negative or no number. Calibrate the model anew.");
    }

    private static float[][] Rows(SafeTensorsFile file, string name, string type, int headCount, int headDim, out BookLayout layout)
    {
        if (!file.Tensors.TryGetValue(name, out SafeTensor? tensor) || tensor.Type != type || tensor.Shape[0] != headCount
            || tensor.Shape[^1] != headDim || tensor.Shape.Length != (type == "F16" ? 4 : 2))
        {
            string found = tensor is null ? "missing" : $"{tensor.Type} [{string.Join(", ", tensor.Shape)}]";
            throw new KvProfileException($"The profile's tensor '{name}' is {found}; {type} of {headCount} heads with {headDim} channels is needed.");
        }
        layout = type == "F16" ? new BookLayout((int)tensor.Shape[2], (int)tensor.Shape[1], headDim) : default;
        float[] all = type == "F16"
            ? [.. MemoryMarshal.Cast<byte, Half>(tensor.Bytes.Span).ToArray().Select(half => (float)half)]
            : MemoryMarshal.Cast<byte, float>(tensor.Bytes.Span).ToArray();
        return [.. all.Chunk(all.Length / headCount)];
    }

    private static SafeTensor Halves(long[] shape, IEnumerable<ReadOnlyMemory<float>> heads)
    {
        float[] all = Concatenate(heads);
        Half[] halves = [.. all.Select(value => (Half)value)];
        return Array.TrueForAll(halves, Half.IsFinite)
            ? new SafeTensor("F16", shape, MemoryMarshal.AsBytes(halves.AsSpan()).ToArray())
            : throw new ArgumentException("A codeword is too large for F16.", nameof(heads));
    }

    private static SafeTensor Singles(long[] shape, IEnumerable<ReadOnlyMemory<float>> heads) =>
        new("F32", shape, MemoryMarshal.AsBytes(Concatenate(heads).AsSpan()).ToArray());

    private static float[] Concatenate(IEnumerable<ReadOnlyMemory<float>> heads) => [.. heads.SelectMany(head => head.ToArray())];
}
