using Concertina.Compute.Model;
using Concertina.Compute.Model.Weights;
using Concertina.Compute.Tests.Kernels;

namespace Concertina.Compute.Tests.Model;

/// <summary>
/// A llama transformer as the papers write it, in binary64, one row at a time, no cache format: what the runner is checked
/// against. Keys and values are rounded to binary16, as the open page does.
/// </summary>
internal sealed class PlainTransformer(ModelSource source)
{
    private readonly ModelConfig _config = source.Config;
    private readonly Dictionary<string, double[][]> _tensors = [];

    /// <summary>Decision logits of a retrofitted model's last layer, [rows][KV heads], in the last call of <see cref="Logits"/>.</summary>
    public List<double[]> Decisions { get; } = [];

    public double[][] Logits(int[] tokens)
    {
        double[][] stream = [.. tokens.Select(token => Tensor(LlamaTensors.Embedding)[token].ToArray())];
        for (int layer = 0; layer < _config.LayerCount; layer++)
        {
            Attend(stream, layer);
            foreach (double[] row in stream)
            {
                double[] x = Norm(row, LlamaTensors.FeedForwardNorm(layer));
                double[] gate = Product(LlamaTensors.Gate(layer), x);
                double[] up = Product(LlamaTensors.Up(layer), x);
                double[] hidden = [.. gate.Zip(up, (g, u) => g / (1 + Math.Exp(-g)) * u)];
                Add(row, Product(LlamaTensors.Down(layer), hidden));
            }
        }
        string head = _config.TiedHead ? LlamaTensors.Embedding : LlamaTensors.Head;
        return [.. stream.Select(row => Product(head, Norm(row, LlamaTensors.OutputNorm)))];
    }

    private void Attend(double[][] stream, int layer)
    {
        List<double[]> keys = [];
        List<double[]> values = [];
        Decisions.Clear();
        for (int position = 0; position < stream.Length; position++)
        {
            double[] x = Norm(stream[position], LlamaTensors.AttentionNorm(layer));
            double[] queries = Product(LlamaTensors.Query(layer), x);
            Decisions.Add(RemoveNeurons(queries));
            RemoveNeurons(Rotate(queries, position));
            keys.Add(RoundToHalf(Rotate(Product(LlamaTensors.Key(layer), x), position)));
            values.Add(RoundToHalf(Product(LlamaTensors.Value(layer), x)));
            double[] mixed = new double[queries.Length];
            for (int head = 0; head < _config.QueryHeadCount; head++)
            {
                MixHead(queries, keys, values, head, mixed);
            }
            Add(stream[position], Product(LlamaTensors.AttentionOutput(layer), mixed));
        }
    }

    private void MixHead(double[] queries, List<double[]> keys, List<double[]> values, int head, double[] mixed)
    {
        int size = _config.HeadDim;
        int own = head * size;
        int shared = head / _config.GroupSize * size;
        double[] scores = [.. keys.Select(key => Enumerable.Range(0, size).Sum(i => queries[own + i] * key[shared + i]) / Math.Sqrt(size))];
        double max = scores.Max();
        double total = scores.Sum(score => Math.Exp(score - max));
        for (int slot = 0; slot < scores.Length; slot++)
        {
            for (int i = 0; i < size; i++)
            {
                mixed[own + i] += Math.Exp(scores[slot] - max) / total * values[slot][shared + i];
            }
        }
    }

    private double[] RemoveNeurons(double[] queries)
    {
        if (_config.KvMethod is not { } method)
        {
            return [];
        }
        double[] logits = new double[_config.KvHeadCount];
        for (int head = 0; head < logits.Length; head++)
        {
            int channel = (head * _config.GroupSize * _config.HeadDim) + method.Neuron;
            logits[head] = (method.Scale * queries[channel]) - method.Offset;
            queries[channel] = 0;
        }
        return logits;
    }

    private double[] Rotate(double[] heads, int position)
    {
        for (int head = 0; head < heads.Length; head += _config.HeadDim)
        {
            for (int i = 0; i < _config.RopeDim; i += 2)
            {
                double angle = position / _config.RopeLinearFactor * Math.Pow(_config.RopeBase, -(double)i / _config.RopeDim);
                (double even, double odd) = (heads[head + i], heads[head + i + 1]);
                heads[head + i] = (even * Math.Cos(angle)) - (odd * Math.Sin(angle));
                heads[head + i + 1] = (even * Math.Sin(angle)) + (odd * Math.Cos(angle));
            }
        }
        return heads;
    }

    private double[] Norm(double[] row, string weight)
    {
        double scale = 1 / Math.Sqrt(row.Average(x => x * x) + _config.RmsEpsilon);
        return [.. row.Zip(Tensor(weight)[0], (x, w) => x * scale * w)];
    }

    private double[] Product(string matrix, double[] x) => [.. Tensor(matrix).Select(row => row.Zip(x, (w, v) => w * v).Sum())];

    private double[][] Tensor(string name)
    {
        if (!_tensors.TryGetValue(name, out double[][]? rows))
        {
            using WeightTensor tensor = source.OpenTensor(name);
            rows = [.. Enumerable.Range(0, tensor.Rows).Select(row =>
                Enumerable.Range(0, tensor.Columns).Select(column => (double)TensorFactory.Element(tensor, row, column)).ToArray())];
            _tensors[name] = rows;
        }
        return rows;
    }

    private static double[] RoundToHalf(double[] row) => [.. row.Select(x => (double)(Half)x)];

    private static void Add(double[] row, double[] branch)
    {
        for (int i = 0; i < row.Length; i++)
        {
            row[i] += branch[i];
        }
    }
}
