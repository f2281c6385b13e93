using System.Diagnostics;
using Concertina.Compute.Kernels;
using Concertina.Compute.Kernels.Matrices;
using Concertina.Compute.Kernels.Matrices.Q8;
using Concertina.Compute.Model.Cpu;
using Concertina.Compute.Model.Weights;
using Concertina.Compute.Threading;

namespace Concertina.Micro;

/// <summary>Matrix products by format, path, size and batch.</summary>
internal static unsafe class Products
{
    public static void Run(int threads, string? only)
    {
        foreach (TensorType type in Enum.GetValues<TensorType>().Where(type => only is null || type.ToString() == only))
        {
            foreach (KernelPath path in Enum.GetValues<KernelPath>().Where(path => path != KernelPath.Scalar && KernelPaths.IsSupported(path)))
            {
                foreach ((int rows, int columns) in ((int, int)[])[(1536, 576), (2048, 2048), (65536, 2048)])
                {
                    foreach (int batch in (int[])[1, 4, 8, 32, 256])
                    {
                        if (rows <= 2048 || batch <= 8)
                        {
                            Measure(type, path, rows, columns, batch, threads);
                        }
                    }
                }
            }
        }
    }

    private static void Measure(TensorType type, KernelPath path, int rows, int columns, int batch, int threads)
    {
        using WeightTensor tensor = WeightTensor.Allocate("w", type, rows, columns);
        new Span<byte>(tensor.Data, (int)(tensor.RowBytes * rows)).Clear();
        using PackedMatrix matrix = PackedMatrix.Pack(tensor, path);
        using ActivationRows x = new(batch, columns, matrix.TakesQuantised ? Q8Matrix.FormFor(path) : ActivationForm.Float);
        for (int row = 0; row < batch; row++)
        {
            x.Row(row).Fill(0.5f);
            x.Quantise(row);
        }
        using WorkPool pool = new(threads);
        using NativeBuffer output = new((long)batch * rows * sizeof(float));
        ProductJob job = new(matrix, x, batch, (float*)output.Pointer);
        TimeSpan best = TimeSpan.MaxValue;
        double operations = 2.0 * rows * columns * batch;
        int repeats = (int)Math.Clamp(4e10 / operations, 3, 3000);
        for (int i = 0; i < repeats; i++)
        {
            long start = Stopwatch.GetTimestamp();
            pool.Run(job, job.Grid.ChunkCount);
            TimeSpan elapsed = Stopwatch.GetElapsedTime(start);
            best = elapsed < best ? elapsed : best;
        }
        Console.Out.WriteLine(
            $"{type,-4} {path,-7} {rows,5} x {columns,4} batch {batch,3}: {matrix.ByteCount / best.TotalSeconds / 1e9,6:F1} GB/s {operations / best.TotalSeconds / 1e9,7:F1} GOP/s");
    }

    private sealed class ProductJob(PackedMatrix matrix, ActivationRows x, int batch, float* output) : IWorkJob
    {
        public ProductGrid Grid { get; } = new(batch, matrix.TileCount, matrix.ByteCount / matrix.TileCount);

        public void Execute(int chunk, int worker)
        {
            (int first, int end) = Grid.Tiles(chunk);
            for (int tile = first; tile < end; tile++)
            {
                matrix.Multiply(x, Grid.Rows(chunk), tile, output, matrix.Rows);
            }
        }
    }
}
