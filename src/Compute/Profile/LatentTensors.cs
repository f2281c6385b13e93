using System.Runtime.InteropServices;
using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Codecs.XQuant;

namespace Concertina.Compute.Profile;

/// <summary>
/// XQuant's latent maps as tensors, F32 because latents are recovered by dividing by singular values: <c>xquant.keys.sigma</c>
/// [layers, rank], <c>xquant.keys.m</c> [layers, rank, channels], with biases <c>xquant.keys.bias</c> [layers, channels], and
/// <c>xquant.values.*</c> likewise. A layer of lower rank than the largest has zeros behind its own.
/// </summary>
internal static class LatentTensors
{
    private const string Keys = "xquant.keys";
    private const string Values = "xquant.values";
    private const string Sigma = ".sigma";
    private const string Matrix = ".m";
    private const string Bias = ".bias";

    /// <summary>Adds maps to a file.</summary>
    public static void Write(IReadOnlyList<LayerLatents> layers, SafeTensorsFile file)
    {
        Write([.. layers.Select(layer => layer.Keys)], file, Keys);
        Write([.. layers.Select(layer => layer.Values)], file, Values);
    }

    /// <summary>The maps of a file, or null if it has none.</summary>
    /// <exception cref="KvProfileException">They are incomplete, of another shape, not finite, or no decomposition.</exception>
    public static IReadOnlyList<LayerLatents>? Read(SafeTensorsFile file, KvShape shape)
    {
        if (!file.Tensors.Keys.Any(name => name.StartsWith("xquant.", StringComparison.Ordinal)))
        {
            return null;
        }
        try
        {
            return [.. Maps(file, shape, Keys).Zip(Maps(file, shape, Values), (keys, values) => new LayerLatents(keys, values))];
        }
        catch (ArgumentException problem)
        {
            throw new KvProfileException($"The profile's XQuant maps cannot be used: {problem.Message} Prepare them from the model anew.", problem);
        }
    }

    private static void Write(LatentMap[] maps, SafeTensorsFile file, string prefix)
    {
        long rank = maps.Max(map => map.Rank);
        long channels = maps[0].Channels;
        float[] sigma = new float[maps.Length * rank];
        float[] matrix = new float[maps.Length * rank * channels];
        for (int layer = 0; layer < maps.Length; layer++)
        {
            maps[layer].Sigma.Span.CopyTo(sigma.AsSpan((int)(layer * rank)));
            maps[layer].Matrix.Span.CopyTo(matrix.AsSpan((int)(layer * rank * channels)));
        }
        file.Tensors.Add(prefix + Sigma, Singles([maps.Length, rank], sigma));
        file.Tensors.Add(prefix + Matrix, Singles([maps.Length, rank, channels], matrix));
        if (maps.Any(map => !map.Bias.IsEmpty))
        {
            float[] bias = [.. maps.SelectMany(map => map.Bias.IsEmpty ? new float[channels] : map.Bias.ToArray())];
            file.Tensors.Add(prefix + Bias, Singles([maps.Length, channels], bias));
        }
    }

    private static LatentMap[] Maps(SafeTensorsFile file, KvShape shape, string prefix)
    {
        long channels = shape.KvHeadCount * shape.HeadDim;
        SafeTensor sigma = Tensor(file, prefix + Sigma, [shape.LayerCount, null]);
        long rank = sigma.Shape[1];
        SafeTensor matrix = Tensor(file, prefix + Matrix, [shape.LayerCount, rank, channels]);
        SafeTensor? bias = file.Tensors.ContainsKey(prefix + Bias) ? Tensor(file, prefix + Bias, [shape.LayerCount, channels]) : null;
        return [.. Enumerable.Range(0, shape.LayerCount).Select(layer =>
        {
            float[] all = Floats(sigma, layer, rank);
            int own = Array.FindLastIndex(all, value => value != 0) + 1;
            return new LatentMap(
                all.AsMemory(0, own),
                Floats(matrix, layer, rank * channels).AsMemory(0, (int)(own * channels)),
                bias is null ? default : Floats(bias, layer, channels));
        })];
    }

    // Null stands for any length.
    private static SafeTensor Tensor(SafeTensorsFile file, string name, long?[] shape)
    {
        if (file.Tensors.TryGetValue(name, out SafeTensor? tensor) && tensor.Type == "F32" && tensor.Shape.Length == shape.Length
            && tensor.Shape.Zip(shape).All(pair => pair.Second is null || pair.First == pair.Second))
        {
            return tensor;
        }
        string found = tensor is null ? "missing" : $"{tensor.Type} [{string.Join(", ", tensor.Shape)}]";
        string needed = string.Join(", ", shape.Select(length => length?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "rank"));
        throw new KvProfileException($"The profile's tensor '{name}' is {found}; F32 [{needed}] is needed. Prepare XQuant's maps from the model anew.");
    }

    private static float[] Floats(SafeTensor tensor, int layer, long count) =>
        MemoryMarshal.Cast<byte, float>(tensor.Bytes.Span).Slice(checked((int)(layer * count)), checked((int)count)).ToArray();

    private static SafeTensor Singles(long[] shape, float[] values) => new("F32", shape, MemoryMarshal.AsBytes(values.AsSpan()).ToArray());
}
