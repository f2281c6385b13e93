using Concertina.Compute.KvCache.Codecs.CommVq.Books;
using Concertina.Compute.KvCache.Codecs.CommVq.Encoding;

namespace Concertina.Compute.Calibration.CommVq;

/// <summary>What the stages so far leave of each vector: [count, width], padded to whole projections with rows of zeros.</summary>
internal sealed class TrainingVectors
{
    private readonly PinnedTable _rows;

    public TrainingVectors(int count, int width)
    {
        Count = count;
        Width = width;
        _rows = new PinnedTable((count + Projection.Rows) * (long)width);
        Squared = new float[count];
        Codes = new int[count];
        Costs = new float[count];
    }

    public int Count { get; }

    public int Width { get; }

    /// <summary>Squared norms, valid after <see cref="Measure"/>.</summary>
    public float[] Squared { get; }

    /// <summary>Nearest pair of each, of the last pass.</summary>
    public int[] Codes { get; }

    /// <summary>Squared distance to it.</summary>
    public float[] Costs { get; }

    public Span<float> Row(int vector) => _rows.Slice((long)vector * Width, Width);

    /// <summary>Four rows from one on.</summary>
    public ReadOnlySpan<float> Rows(int vector) => _rows.Slice((long)vector * Width, Projection.Rows * Width);

    /// <summary>Computes the squared norms.</summary>
    /// <returns>Their mean.</returns>
    public unsafe double Measure()
    {
        double sum = 0;
        for (int vector = 0; vector < Count; vector++)
        {
            fixed (float* row = Row(vector))
            {
                Squared[vector] = Projection.Squared(row, Width);
            }
            sum += Squared[vector];
        }
        return sum / Count;
    }

    /// <summary>Takes the nearest pairs of the last pass away.</summary>
    public void Subtract(PairStage stage)
    {
        for (int vector = 0; vector < Count; vector++)
        {
            Squared[vector] = stage.Subtract(Row(vector), Codes[vector], Row(vector));
        }
    }
}
