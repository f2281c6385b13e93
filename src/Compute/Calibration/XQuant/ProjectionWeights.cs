using Concertina.Compute.Kernels;
using Concertina.Compute.Kernels.Matrices;
using Concertina.Compute.Model;
using Concertina.Compute.Model.Weights;

namespace Concertina.Compute.Calibration.XQuant;

/// <summary>Projections of keys and values as the runner uses them: dequantised, in the channel order of its cache.</summary>
internal static class ProjectionWeights
{
    /// <summary>W of the keys of a layer, [hidden, KV heads * headDim], row-major: K = X W.</summary>
    public static double[] Keys(ModelSource source, int layer) => Read(source, LlamaTensors.Key(layer));

    /// <summary>W of the values of a layer, of the same shape.</summary>
    public static double[] Values(ModelSource source, int layer) => Read(source, LlamaTensors.Value(layer));

    /// <summary>[Wk | Wv], [rows, 2 columns].</summary>
    public static double[] SideBySide(ReadOnlySpan<double> keys, ReadOnlySpan<double> values, int columns)
    {
        double[] both = new double[keys.Length + values.Length];
        for (int row = 0; row < keys.Length / columns; row++)
        {
            keys.Slice(row * columns, columns).CopyTo(both.AsSpan(2 * row * columns));
            values.Slice(row * columns, columns).CopyTo(both.AsSpan(((2 * row) + 1) * columns));
        }
        return both;
    }

    private static double[] Read(ModelSource source, string name)
    {
        using WeightTensor tensor = source.OpenTensor(name);
        using PackedMatrix matrix = PackedMatrix.Pack(tensor, KernelPaths.Best);
        // The file has a row per output.
        double[] weights = new double[(long)matrix.Rows * matrix.Columns];
        float[] row = new float[matrix.Columns];
        for (int output = 0; output < matrix.Rows; output++)
        {
            matrix.ReadRow(output, row);
            for (int input = 0; input < row.Length; input++)
            {
                weights[((long)input * matrix.Rows) + output] = row[input];
            }
        }
        return weights;
    }
}
