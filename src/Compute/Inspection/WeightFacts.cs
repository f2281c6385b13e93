using Concertina.Compute.Model;
using Concertina.Compute.Model.Weights;

namespace Concertina.Compute.Inspection;

/// <summary>The weights of a model that are stored in one format.</summary>
/// <param name="Format">Name of the format, as GGUF has it.</param>
/// <param name="TensorCount">Tensors.</param>
/// <param name="ElementCount">Weights.</param>
/// <param name="Bytes">Their bytes in the file.</param>
public sealed record WeightFacts(string Format, int TensorCount, long ElementCount, long Bytes)
{
    /// <summary>The formats of a model, the one with most bytes first.</summary>
    public static IReadOnlyList<WeightFacts> Of(ModelSource source)
    {
        ArgumentNullException.ThrowIfNull(source);
        Dictionary<TensorType, WeightFacts> formats = [];
        foreach (TensorShape shape in LlamaTensors.All(source.Config))
        {
            using WeightTensor tensor = source.OpenTensor(shape.Name);
            WeightFacts known = formats.GetValueOrDefault(tensor.Type) ?? new WeightFacts(TensorLayout.Name((uint)tensor.Type), 0, 0, 0);
            formats[tensor.Type] = known with
            {
                TensorCount = known.TensorCount + 1,
                ElementCount = known.ElementCount + ((long)tensor.Rows * tensor.Columns),
                Bytes = known.Bytes + (tensor.Rows * tensor.RowBytes),
            };
        }
        return [.. formats.Values.OrderByDescending(format => format.Bytes)];
    }
}
