using System.Diagnostics;

namespace Concertina.Compute.Calibration.CommVq;

/// <summary>
/// The M step: the tables that minimise the weighted squared distances, in closed form. Tied tables: the Hermitian system
/// G = diag(row sums + column sums of N) + i (N - N^T), G Z = P_a - i P_b, solved as a real one of twice the size. Free
/// tables: [rows, N; N^T, columns]. A ridge keeps both positive definite.
/// </summary>
internal static class PairMaximisation
{
    /// <summary>Added to the diagonal; absolute, since the matrix counts vectors.</summary>
    public const double Ridge = 1e-3;

    /// <summary>Writes the tables.</summary>
    public static void Run(PairSums sums, PairTables tables, double ridge = Ridge)
    {
        switch (tables.Kind)
        {
            case PairKind.Tied:
                Tied(sums, tables, ridge);
                break;
            case PairKind.Free:
                Free(sums, tables, ridge);
                break;
            default:
                Single(sums, tables, ridge);
                break;
        }
    }

    /// <summary>[Re G, -Im G; Im G, Re G] without the ridge, [2 levels, 2 levels].</summary>
    public static double[] TiedMatrix(PairSums sums, int levels)
    {
        int size = 2 * levels;
        double[] matrix = new double[size * size];
        for (int a = 0; a < levels; a++)
        {
            double weight = sums.FirstWeight(a) + sums.SecondWeight(a);
            matrix[(a * size) + a] = weight;
            matrix[((levels + a) * size) + levels + a] = weight;
            for (int b = 0; b < levels; b++)
            {
                double skew = sums.Counts[(a * levels) + b] - sums.Counts[(b * levels) + a];
                matrix[(a * size) + levels + b] = -skew;
                matrix[((levels + a) * size) + b] = skew;
            }
        }
        return matrix;
    }

    /// <summary>P_a - i P_b: real parts of all rows, then imaginary parts, [2 levels, width / 2].</summary>
    public static double[] TiedSides(PairSums sums, int levels, int width)
    {
        int half = width / 2;
        double[] sides = new double[levels * width];
        for (int level = 0; level < levels; level++)
        {
            for (int pair = 0; pair < half; pair++)
            {
                int real = (level * width) + pair;
                sides[(level * half) + pair] = sums.First[real] + sums.Second[real + half];
                sides[((levels + level) * half) + pair] = sums.First[real + half] - sums.Second[real];
            }
        }
        return sides;
    }

    private static void Tied(PairSums sums, PairTables tables, double ridge)
    {
        int levels = tables.FirstLevels;
        int half = tables.Width / 2;
        double[] matrix = TiedMatrix(sums, levels);
        double[] sides = TiedSides(sums, levels, tables.Width);
        Solve(matrix, 2 * levels, sides, ridge);
        for (int level = 0; level < levels; level++)
        {
            for (int pair = 0; pair < half; pair++)
            {
                tables.First[(level * tables.Width) + pair] = (float)sides[(level * half) + pair];
                tables.First[(level * tables.Width) + half + pair] = (float)sides[((levels + level) * half) + pair];
            }
        }
        tables.Tie();
    }

    private static void Free(PairSums sums, PairTables tables, double ridge)
    {
        int first = tables.FirstLevels;
        int second = tables.SecondLevels;
        int size = first + second;
        double[] matrix = new double[size * size];
        for (int a = 0; a < first; a++)
        {
            matrix[(a * size) + a] = sums.FirstWeight(a);
            for (int b = 0; b < second; b++)
            {
                matrix[((first + b) * size) + a] = sums.Counts[(a * second) + b];
            }
        }
        for (int b = 0; b < second; b++)
        {
            matrix[((first + b) * size) + first + b] = sums.SecondWeight(b);
        }
        double[] sides = [.. sums.First, .. sums.Second];
        Solve(matrix, size, sides, ridge);
        for (int i = 0; i < tables.First.Length; i++)
        {
            tables.First[i] = (float)sides[i];
        }
        for (int i = 0; i < tables.Second.Length; i++)
        {
            tables.Second[i] = (float)sides[tables.First.Length + i];
        }
    }

    private static void Single(PairSums sums, PairTables tables, double ridge)
    {
        for (int i = 0; i < tables.Second.Length; i++)
        {
            tables.Second[i] = (float)(sums.Second[i] / (sums.SecondWeight(i / tables.Width) + ridge));
        }
    }

    private static void Solve(double[] matrix, int size, double[] sides, double ridge)
    {
        for (int i = 0; i < size; i++)
        {
            matrix[(i * size) + i] += ridge;
        }
        if (!SymmetricSystem.TrySolve(matrix, size, sides))
        {
            // A sum of squares plus the ridge is positive definite.
            throw new UnreachableException($"The system of {size} unknowns is not positive definite.");
        }
    }
}
