using System.Runtime.InteropServices;
using Concertina.Compute.KvCache.Codecs.CommVq.Books;

namespace Concertina.Compute.Profile;

/// <summary>
/// CommVQ codebooks as tensors: <c>commvq.keys.z</c> [heads, stages, levels, headDim] in F16, <c>commvq.keys.mean</c>
/// [heads, headDim] in F32, <c>commvq.values.c</c> and <c>commvq.values.mean</c> likewise. Rows of keys are real parts, then
/// imaginary parts.
/// </summary>
internal static class BookTensors
{
    private const string KeyRows = "commvq.keys.z";
    private const string KeyMeans = "commvq.keys.mean";
    private const string ValueRows = "commvq.values.c";
    private const string ValueMeans = "commvq.values.mean";

    /// <summary>Adds the books to a file.</summary>
    /// <exception cref="ArgumentException">The books are an untied arm, which profiles do not hold, or not rounded to F16.</exception>
    public static void Write(CommVqBooks books, SafeTensorsFile file)
    {
        if (books.Keys.Any(book => !book.IsTied))
        {
            throw new ArgumentException("A profile holds tied codebooks only.", nameof(books));
        }
        long heads = books.HeadCount;
        BookLayout keys = books.Keys[0].Layout;
        BookLayout values = books.Values[0].Layout;
        long headDim = keys.HeadDim;
        file.Tensors.Add(KeyRows, Halves([heads, keys.Stages, keys.Levels, headDim], books.Keys.Select(book => book.Rows)));
        file.Tensors.Add(KeyMeans, Singles([heads, headDim], books.Keys.Select(book => book.Mean)));
        file.Tensors.Add(ValueRows, Halves([heads, values.Stages, values.Levels, headDim], books.Values.Select(book => book.Rows)));
        file.Tensors.Add(ValueMeans, Singles([heads, headDim], books.Values.Select(book => book.Mean)));
    }

    /// <summary>The books of a file, or null if it has none.</summary>
    /// <param name="file">The file.</param>
    /// <param name="headCount">Heads of the model.</param>
    /// <param name="headDim">Channels of a head.</param>
    /// <exception cref="KvProfileException">They are incomplete, of another shape, or not finite.</exception>
    public static CommVqBooks? Read(SafeTensorsFile file, int headCount, int headDim)
    {
        if (!file.Tensors.ContainsKey(KeyRows) && !file.Tensors.ContainsKey(ValueRows))
        {
            return null;
        }
        try
        {
            float[][] keyRows = Rows(file, KeyRows, "F16", headCount, headDim, out BookLayout keys);
            float[][] valueRows = Rows(file, ValueRows, "F16", headCount, headDim, out BookLayout values);
            float[][] keyMeans = Rows(file, KeyMeans, "F32", headCount, headDim, out _);
            float[][] valueMeans = Rows(file, ValueMeans, "F32", headCount, headDim, out _);
            return new CommVqBooks(
                [.. keyRows.Select((rows, head) => new KeyBook(keys, rows, null, keyMeans[head]))],
                [.. valueRows.Select((rows, head) => new ValueBook(values, rows, valueMeans[head]))]);
        }
        catch (ArgumentException problem)
        {
            throw new KvProfileException($"The profile's CommVQ codebooks cannot be used: {problem.Message} Calibrate the model anew.", problem);
        }
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
