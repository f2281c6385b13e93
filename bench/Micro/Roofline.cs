using System.Diagnostics;
using System.Runtime.Intrinsics;
using Concertina.Compute.Kernels;
using Concertina.Compute.Threading;

namespace Concertina.Micro;

/// <summary>Read bandwidth: the sum of an array, by working-set size and threads. The ceiling of decoding.</summary>
internal static unsafe class Roofline
{
    private static readonly long[] Sizes = [1 << 20, 8 << 20, 16 << 20, 128 << 20, 512 << 20];

    public static void Run()
    {
        foreach (int threads in (int[])[1, Environment.ProcessorCount])
        {
            foreach (long size in Sizes)
            {
                Console.Out.WriteLine($"read {size >> 20,4} MiB, {threads} threads: {Measure(size, threads),6:F1} GB/s");
            }
        }
    }

    public static double Measure(long size, int threads)
    {
        using NativeBuffer buffer = new(size);
        using WorkPool pool = new(threads);
        SumJob job = new(buffer.Pointer, size, threads);
        TimeSpan best = TimeSpan.MaxValue;
        long repeats = Math.Max(5, (1L << 30) / size);
        for (int i = 0; i < repeats; i++)
        {
            long start = Stopwatch.GetTimestamp();
            pool.Run(job, job.ChunkCount);
            TimeSpan elapsed = Stopwatch.GetElapsedTime(start);
            best = elapsed < best ? elapsed : best;
        }
        return size / best.TotalSeconds / 1e9;
    }

    private sealed class SumJob(byte* data, long size, int threads) : IWorkJob
    {
        private readonly long[] _sums = new long[threads * 16];

        public int ChunkCount { get; } = threads * 8;

        public void Execute(int chunk, int worker)
        {
            long length = size / ChunkCount / 512 * 512;
            byte* start = data + (chunk * length);
            Vector512<long> a = Vector512<long>.Zero, b = a, c = a, d = a;
            for (byte* p = start; p < start + length; p += 256)
            {
                a += Vector512.Load((long*)p);
                b += Vector512.Load((long*)(p + 64));
                c += Vector512.Load((long*)(p + 128));
                d += Vector512.Load((long*)(p + 192));
            }
            _sums[worker * 16] += Vector512.Sum(a + b + c + d);
        }
    }
}
