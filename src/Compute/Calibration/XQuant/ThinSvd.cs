using System.Numerics;

namespace Concertina.Compute.Calibration.XQuant;

/// <summary>
/// Thin singular value decomposition W = U S B^T in binary64, by one-sided Jacobi rotations of the columns (Hestenes 1958; Golub
/// and Van Loan, Matrix Computations, section 8.6). Singular values descend; the largest entry in magnitude of every column of U
/// is positive, the lowest row deciding ties, so that the same matrix gives the same decomposition. Columns of equal singular
/// values are not unique; U S B^T is.
/// </summary>
internal sealed class ThinSvd
{
    /// <summary>Share of the largest singular value below which a column is dropped.</summary>
    public const double DroppedShare = 1e-6;

    private const int MostSweeps = 60;
    private const double Orthogonal = 1e-15;

    private ThinSvd(double[] allSigma, double[][] left, double[][] right)
    {
        AllSigma = allSigma;
        Rank = allSigma.Count(sigma => sigma > 0 && sigma >= DroppedShare * allSigma[0]);
        Left = left[..Rank];
        Right = right[..Rank];
    }

    /// <summary>Singular values that are kept.</summary>
    public int Rank { get; }

    /// <summary>All singular values, those below <see cref="DroppedShare"/> too.</summary>
    public IReadOnlyList<double> AllSigma { get; }

    /// <summary>[Rank] columns of U, each [rows], orthonormal.</summary>
    public IReadOnlyList<double[]> Left { get; }

    /// <summary>[Rank] columns of B, each [columns], orthonormal.</summary>
    public IReadOnlyList<double[]> Right { get; }

    /// <summary>The largest singular value over the least, of all columns; infinite where columns depend on each other.</summary>
    public double Condition => AllSigma[^1] > 0 ? AllSigma[0] / AllSigma[^1] : double.PositiveInfinity;

    /// <summary>Decomposes a matrix. Work: about 10 sweeps of columns^2 / 2 products of rows numbers, over all cores.</summary>
    /// <param name="matrix">[rows, columns], row-major.</param>
    /// <param name="columns">Columns.</param>
    /// <exception cref="ArgumentException">It is empty or zero, its length is no multiple of the columns, a number is not finite, or the rotations do not end.</exception>
    public static ThinSvd Of(ReadOnlySpan<double> matrix, int columns)
    {
        if (columns < 1 || matrix.IsEmpty || matrix.Length % columns != 0)
        {
            throw new ArgumentException($"A matrix of {matrix.Length} numbers does not have {columns} columns.", nameof(matrix));
        }
        double[][] work = new double[columns][];
        double[][] right = new double[columns][];
        for (int column = 0; column < columns; column++)
        {
            work[column] = Column(matrix, columns, column);
            right[column] = new double[columns];
            right[column][column] = 1;
        }
        Rotate(work, right);
        double[] lengths = [.. work.Select(column => Math.Sqrt(Dot(column, column)))];
        int[] order = [.. Enumerable.Range(0, columns).OrderByDescending(column => lengths[column]).ThenBy(column => column)];
        if (lengths[order[0]] == 0)
        {
            throw new ArgumentException("The matrix is zero; it has no singular values.", nameof(matrix));
        }
        foreach (int column in order)
        {
            Normalise(work[column], right[column], lengths[column]);
        }
        return new ThinSvd([.. order.Select(column => lengths[column])], [.. order.Select(column => work[column])], [.. order.Select(column => right[column])]);
    }

    /// <summary>M = S B^T, [Rank, columns], row-major.</summary>
    public double[] Mixing() => [.. Right.SelectMany((column, latent) => column.Select(entry => AllSigma[latent] * entry))];

    private static double[] Column(ReadOnlySpan<double> matrix, int columns, int column)
    {
        double[] entries = new double[matrix.Length / columns];
        for (int row = 0; row < entries.Length; row++)
        {
            double entry = matrix[(row * columns) + column];
            entries[row] = double.IsFinite(entry)
                ? entry
                : throw new ArgumentException($"Row {row}, column {column} of the matrix is {entry}.", nameof(matrix));
        }
        return entries;
    }

    // Each round of a tournament rotates disjoint pairs, so the result does not depend on the threads.
    private static void Rotate(double[][] columns, double[][] right)
    {
        int players = (columns.Length + 1) / 2 * 2;
        double floor = 1e-30 * columns.Max(column => Dot(column, column));
        for (int sweep = 0; sweep < MostSweeps; sweep++)
        {
            int rotated = 0;
            for (int round = 0; round < players - 1; round++)
            {
                int turn = round;
                Parallel.For(0, players / 2, seat =>
                {
                    (int p, int q) = Pair(players, turn, seat);
                    if (q < columns.Length && RotatePair((columns[p], columns[q]), (right[p], right[q]), floor))
                    {
                        Interlocked.Increment(ref rotated);
                    }
                });
            }
            if (rotated == 0)
            {
                return;
            }
        }
        throw new ArgumentException($"The decomposition did not end in {MostSweeps} sweeps; the matrix has {columns.Length} columns of {columns[0].Length} rows.", nameof(columns));
    }

    // The circle method: the last player stays, the others move one seat a round.
    private static (int Lower, int Higher) Pair(int players, int round, int seat)
    {
        int ring = players - 1;
        int first = seat == 0 ? ring : (round + seat) % ring;
        int second = (round + ring - seat) % ring;
        return (Math.Min(first, second), Math.Max(first, second));
    }

    private static bool RotatePair((double[] P, double[] Q) columns, (double[] P, double[] Q) right, double floor)
    {
        double alpha = Dot(columns.P, columns.P);
        double beta = Dot(columns.Q, columns.Q);
        double gamma = Dot(columns.P, columns.Q);
        // Columns shorter than rounding leaves them are zero: their direction is noise.
        if (Math.Min(alpha, beta) <= floor || Math.Abs(gamma) <= Orthogonal * Math.Sqrt(alpha * beta))
        {
            return false;
        }
        double zeta = (beta - alpha) / (2 * gamma);
        double tangent = (zeta >= 0 ? 1 : -1) / (Math.Abs(zeta) + Math.Sqrt(1 + (zeta * zeta)));
        double cosine = 1 / Math.Sqrt(1 + (tangent * tangent));
        Turn(columns.P, columns.Q, cosine, cosine * tangent);
        Turn(right.P, right.Q, cosine, cosine * tangent);
        return true;
    }

    private static void Turn(double[] p, double[] q, double cosine, double sine)
    {
        int i = 0;
        for (; i + Vector<double>.Count <= p.Length; i += Vector<double>.Count)
        {
            var a = new Vector<double>(p, i);
            var b = new Vector<double>(q, i);
            ((a * cosine) - (b * sine)).CopyTo(p, i);
            ((a * sine) + (b * cosine)).CopyTo(q, i);
        }
        for (; i < p.Length; i++)
        {
            (p[i], q[i]) = ((p[i] * cosine) - (q[i] * sine), (p[i] * sine) + (q[i] * cosine));
        }
    }

    private static double Dot(double[] a, double[] b)
    {
        Vector<double> sum = Vector<double>.Zero;
        int i = 0;
        for (; i + Vector<double>.Count <= a.Length; i += Vector<double>.Count)
        {
            sum += new Vector<double>(a, i) * new Vector<double>(b, i);
        }
        double total = Vector.Sum(sum);
        for (; i < a.Length; i++)
        {
            total += a[i] * b[i];
        }
        return total;
    }

    private static void Normalise(double[] left, double[] right, double length)
    {
        int largest = 0;
        for (int row = 1; row < left.Length; row++)
        {
            largest = Math.Abs(left[row]) > Math.Abs(left[largest]) ? row : largest;
        }
        double sign = left[largest] < 0 ? -1 : 1;
        for (int row = 0; row < left.Length && length > 0; row++)
        {
            left[row] *= sign / length;
        }
        for (int row = 0; row < right.Length; row++)
        {
            right[row] *= sign;
        }
    }
}
