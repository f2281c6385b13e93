namespace Concertina.Compute.Calibration.CommVq;

/// <summary>Linear systems with a symmetric positive definite matrix, in binary64, by Cholesky's factors.</summary>
internal static class SymmetricSystem
{
    /// <summary>Solves in place.</summary>
    /// <param name="matrix">[size, size], of which the lower half is read; overwritten.</param>
    /// <param name="size">Unknowns.</param>
    /// <param name="sides">Right sides, [size, columns]; become the solution.</param>
    /// <returns>False when the matrix is not positive definite; the contents are then undefined.</returns>
    public static bool TrySolve(Span<double> matrix, int size, Span<double> sides)
    {
        int columns = sides.Length / size;
        for (int i = 0; i < size; i++)
        {
            for (int j = 0; j <= i; j++)
            {
                double sum = matrix[(i * size) + j];
                for (int k = 0; k < j; k++)
                {
                    sum -= matrix[(i * size) + k] * matrix[(j * size) + k];
                }
                if (i != j)
                {
                    matrix[(i * size) + j] = sum / matrix[(j * size) + j];
                    continue;
                }
                if (!(sum > 0))
                {
                    return false;
                }
                matrix[(i * size) + i] = Math.Sqrt(sum);
            }
        }
        for (int i = 0; i < size; i++)
        {
            for (int k = 0; k < i; k++)
            {
                Subtract(sides.Slice(i * columns, columns), sides.Slice(k * columns, columns), matrix[(i * size) + k]);
            }
            Divide(sides.Slice(i * columns, columns), matrix[(i * size) + i]);
        }
        for (int i = size - 1; i >= 0; i--)
        {
            for (int k = i + 1; k < size; k++)
            {
                Subtract(sides.Slice(i * columns, columns), sides.Slice(k * columns, columns), matrix[(k * size) + i]);
            }
            Divide(sides.Slice(i * columns, columns), matrix[(i * size) + i]);
        }
        return true;
    }

    private static void Subtract(Span<double> from, ReadOnlySpan<double> row, double factor)
    {
        for (int i = 0; i < from.Length; i++)
        {
            from[i] -= factor * row[i];
        }
    }

    private static void Divide(Span<double> row, double by)
    {
        for (int i = 0; i < row.Length; i++)
        {
            row[i] /= by;
        }
    }
}
