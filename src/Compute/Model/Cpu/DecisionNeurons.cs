using Concertina.Compute.Kernels.Matrices;

namespace Concertina.Compute.Model.Cpu;

/// <summary>
/// The neurons of a retrofitted model: reads their decision logits out of the queries before RoPE and takes them out of
/// attention, before RoPE and again after it, because the rotation brings the other channel of the pair into their place.
/// </summary>
internal sealed unsafe class DecisionNeurons
{
    private readonly StepBuffers _buffers;
    private readonly float _scale;
    private readonly float _offset;
    private readonly int _neuron;
    private readonly int _groupLength;
    private readonly int _kvHeads;

    private DecisionNeurons(KvMethod method, ModelConfig config, StepBuffers buffers)
    {
        _buffers = buffers;
        _scale = method.Scale;
        _offset = method.Offset;
        _neuron = method.Neuron;
        _groupLength = config.GroupSize * config.HeadDim;
        _kvHeads = config.KvHeadCount;
    }

    /// <summary>The neurons of a model, or null if it is not retrofitted.</summary>
    public static DecisionNeurons? Of(ModelConfig config, StepBuffers buffers) =>
        config.KvMethod is { } method ? new(method, config, buffers) : null;

    /// <summary>Before RoPE: logits of the neurons within a tile of the queries, in binary32, and zeros in their place.</summary>
    public void Decide(RowRange rows, int tile)
    {
        for (int head = FirstHead(tile); head < _kvHeads && Channel(head) < (tile + 1) * PackedMatrix.TileRows; head++)
        {
            for (int row = rows.First; row < rows.First + rows.Count; row++)
            {
                float* neuron = Neuron(row, head);
                _buffers.DecisionPointer[(row * _kvHeads) + head] = (_scale * *neuron) - _offset;
                *neuron = 0;
            }
        }
    }

    /// <summary>After RoPE: zeros in the neurons' places.</summary>
    public void Clear(RowRange rows, int tile)
    {
        for (int head = FirstHead(tile); head < _kvHeads && Channel(head) < (tile + 1) * PackedMatrix.TileRows; head++)
        {
            for (int row = rows.First; row < rows.First + rows.Count; row++)
            {
                *Neuron(row, head) = 0;
            }
        }
    }

    // First KV head whose neuron lies in the tile or behind it.
    private int FirstHead(int tile)
    {
        int beyond = (tile * PackedMatrix.TileRows) - _neuron;
        return beyond <= 0 ? 0 : (beyond + _groupLength - 1) / _groupLength;
    }

    private int Channel(int head) => (head * _groupLength) + _neuron;

    // In bounds: row < rows of the buffers, channel < query heads * head dim, because the neuron is below the head dim.
    private float* Neuron(int row, int head) => _buffers.QueryPointer + ((long)row * _buffers.QueryLength) + Channel(head);
}
