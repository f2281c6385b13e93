namespace Concertina.Compute.Calibration.CommVq;

/// <summary>Gives codewords that no vector uses a vector that is served badly, after the M step left them at 0.</summary>
internal static class PairRepair
{
    private const double Unused = 1e-6;

    /// <summary>Repairs the tables made from some sums.</summary>
    /// <returns>Codewords that were unused.</returns>
    public static int Run(PairSums sums, PairTables tables, TrainingVectors vectors)
    {
        int[] firsts = tables.Kind switch
        {
            PairKind.Tied => [.. Enumerable.Range(0, tables.FirstLevels).Where(level => sums.FirstWeight(level) + sums.SecondWeight(level) < Unused)],
            PairKind.Free => [.. Enumerable.Range(0, tables.FirstLevels).Where(level => sums.FirstWeight(level) < Unused)],
            _ => [],
        };
        int[] seconds = tables.Kind == PairKind.Tied
            ? []
            : [.. Enumerable.Range(0, tables.SecondLevels).Where(level => sums.SecondWeight(level) < Unused)];
        if (firsts.Length + seconds.Length == 0)
        {
            return 0;
        }
        // Largest residual first; of equal ones the first vector.
        int[] worst = [.. Enumerable.Range(0, vectors.Count).OrderByDescending(vector => vectors.Costs[vector]).Take(firsts.Length + seconds.Length)];
        for (int i = 0; i < firsts.Length; i++)
        {
            int vector = worst[i % worst.Length];
            Span<float> row = tables.First.AsSpan(firsts[i] * tables.Width, tables.Width);
            if (tables.Kind == PairKind.Tied)
            {
                HalfTurn(vectors.Row(vector), row);
            }
            else
            {
                Difference(vectors.Row(vector), tables.Second.AsSpan(vectors.Codes[vector] % tables.SecondLevels * tables.Width), row);
            }
        }
        for (int i = 0; i < seconds.Length; i++)
        {
            int vector = worst[(firsts.Length + i) % worst.Length];
            Difference(
                vectors.Row(vector), tables.First.AsSpan(vectors.Codes[vector] / tables.SecondLevels * tables.Width),
                tables.Second.AsSpan(seconds[i] * tables.Width, tables.Width));
        }
        tables.Tie();
        return firsts.Length + seconds.Length;
    }

    /// <summary>(1 - i) / 2 * t, whose pair with itself is t.</summary>
    public static void HalfTurn(ReadOnlySpan<float> vector, Span<float> row)
    {
        int half = row.Length / 2;
        for (int pair = 0; pair < half; pair++)
        {
            row[pair] = (vector[pair] + vector[half + pair]) / 2;
            row[half + pair] = (vector[half + pair] - vector[pair]) / 2;
        }
    }

    private static void Difference(ReadOnlySpan<float> vector, ReadOnlySpan<float> other, Span<float> row)
    {
        for (int i = 0; i < row.Length; i++)
        {
            row[i] = vector[i] - other[i];
        }
    }
}
