using Concertina.Compute.KvCache;

namespace Concertina.Compute.Tests.Attention;

/// <summary>Softmax attention in double over what 16 bits keep of keys and values.</summary>
internal static class Reference
{
    /// <summary>Output of one query head of one row, [headDim].</summary>
    public static double[] Attend(Sequences sequences, Sequences.Rows rows, int position, int queryHead, bool rounded)
    {
        KvShape shape = sequences.Shape;
        int kvHead = queryHead / shape.GroupSize;
        double[] scores = new double[position + 1];
        for (int t = 0; t <= position; t++)
        {
            for (int c = 0; c < shape.HeadDim; c++)
            {
                float key = rows.Keys[(t * sequences.KeyWidth) + (kvHead * shape.HeadDim) + c];
                float query = rows.Queries[(position * sequences.QueryWidth) + (queryHead * shape.HeadDim) + c];
                scores[t] += (double)query * (rounded ? (float)(Half)key : key);
            }
            scores[t] /= Math.Sqrt(shape.HeadDim);
        }
        double largest = scores.Max();
        double sum = 0;
        double[] output = new double[shape.HeadDim];
        for (int t = 0; t <= position; t++)
        {
            double weight = Math.Exp(scores[t] - largest);
            sum += weight;
            for (int c = 0; c < shape.HeadDim; c++)
            {
                float value = rows.Values[(t * sequences.KeyWidth) + (kvHead * shape.HeadDim) + c];
                output[c] += weight * (rounded ? (float)(Half)value : value);
            }
        }
        return [.. output.Select(value => value / sum)];
    }
}
