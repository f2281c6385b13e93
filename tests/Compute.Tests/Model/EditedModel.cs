using Concertina.Compute.Model;
using Concertina.Compute.Model.Weights;

namespace Concertina.Compute.Tests.Model;

/// <summary>A model in F32 with some rows of its query matrices set to zero; the other model is not owned.</summary>
internal sealed class EditedModel(ModelSource source, ModelConfig config, params int[] zeroQueryRows) : ModelSource(config)
{
    public override string ContentHash => source.ContentHash;

    public override long ParameterCount => source.ParameterCount;

    public override ReadOnlyMemory<byte> TokenizerBytes => source.TokenizerBytes;

    internal override ReadOnlyMemory<float> RopeFrequencyDivisors => source.RopeFrequencyDivisors;

    internal override unsafe WeightTensor OpenTensor(string name)
    {
        WeightTensor tensor = source.OpenTensor(name);
        if (name.EndsWith("attn_q.weight", StringComparison.Ordinal))
        {
            Assert.Equal(TensorType.F32, tensor.Type);
            foreach (int row in zeroQueryRows)
            {
                new Span<float>(tensor.Data + (row * tensor.RowBytes), tensor.Columns).Clear();
            }
        }
        return tensor;
    }

    internal override Exception Invalid(string problem) => source.Invalid(problem);

    protected override void Dispose(bool disposing)
    {
    }
}
