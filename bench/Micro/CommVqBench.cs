// Question: how long do training, encoding and attention of CommVQ take, and which form of values is faster at which group size?
using System.Diagnostics;
using System.Globalization;
using Concertina.Compute.Calibration.CommVq;
using Concertina.Compute.KvCache.Codecs.CommVq;
using Concertina.Compute.KvCache.Codecs.CommVq.Books;
using Concertina.Compute.KvCache.Codecs.CommVq.Encoding;

namespace Concertina.Micro;

/// <summary>CommVQ on synthetic heads of 64 channels.</summary>
internal static class CommVqBench
{
    private const int HeadDim = 64;

    /// <summary>Trains some heads.</summary>
    public static void Train(TextWriter output, int heads, int tokens, int threads)
    {
        foreach (CommVqShape shape in new CommVqShape[] { new(16, 16, 16, 32), new(16, 16, 256, 16) })
        {
            foreach (int soft in new[] { 10, 0 })
            {
                HeadSample[] samples = [.. Enumerable.Range(0, heads).Select(head => new HeadSample(Draw(tokens, head), Draw(tokens, 100 + head)))];
                double[] losses = new double[4];
                var plan = new CommVqTraining { Shape = shape, Threads = threads, SoftIterations = soft };
                var trainer = new CommVqTrainer(plan, HeadDim, progress =>
                {
                    int stages = progress.Side == 0 ? shape.KeyStages : shape.ValueStages / shape.ValuePlaneStages;
                    if (progress.Head == 0 && (progress.Stage == stages - 1 || progress.Stage == (stages / 2) - 1))
                    {
                        losses[((int)progress.Side * 2) + (progress.Stage == stages - 1 ? 1 : 0)] = progress.Loss;
                    }
                });
                long start = Stopwatch.GetTimestamp();
                TimeSpan processor = Environment.CpuUsage.TotalTime;
                CommVqBooks books = trainer.Train(samples, CancellationToken.None);
                double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
                double spent = (Environment.CpuUsage.TotalTime - processor).TotalSeconds;
                output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"{shape} soft {soft}: {heads} heads, {tokens} tokens, {threads} threads: {seconds:F1} s, {spent:F1} s of processor; keys {losses[0]:F4} {losses[1]:F4} values {losses[2]:F4} {losses[3]:F4}"));
                foreach (int beam in new[] { 1, 2, 4, 8 })
                {
                    Encode(output, books, beam);
                }
            }
        }
    }

    /// <summary>Books of one head, trained in passing.</summary>
    public static CommVqBooks Books(CommVqShape shape) =>
        new CommVqTrainer(new CommVqTraining { Shape = shape, HardIterations = 3, SoftIterations = 0 }, HeadDim)
            .Train([new HeadSample(Draw(4096, 0), Draw(4096, 0))], CancellationToken.None);

    private static void Encode(TextWriter output, CommVqBooks books, int beam)
    {
        const int Count = 64;
        KeyBook book = books.Keys[0];
        ReadOnlySpan<float> rows = Draw(Count * 16, 0, other: true).Span;
        var encoder = new BeamEncoder(Count, PairLayout.Width(HeadDim), beam, book.Layout.Stages);
        float[] first = new float[book.Layout.Levels * encoder.Row(0).Length];
        float[] second = new float[first.Length];
        float[] unit = new float[HeadDim];
        var stage = new PairStage(book.Layout.Levels, book.Layout.Levels, encoder.Row(0).Length);
        int[] codes = new int[Count * book.Layout.Stages];
        float[] squared = new float[Count];
        double best = double.MaxValue;
        double error = 0;
        for (int repeat = 0; repeat < 16; repeat++)
        {
            long start = Stopwatch.GetTimestamp();
            encoder.Begin(Count);
            for (int row = 0; row < Count; row++)
            {
                UnitVector.Make(rows.Slice(((repeat * Count) + row) * HeadDim, HeadDim), book.Mean.Span, unit);
                PairLayout.Split(unit, encoder.Row(row));
            }
            for (int r = 0; r < book.Layout.Stages; r++)
            {
                book.First(r, first);
                book.Second(r, second);
                stage.Load(first, second);
                encoder.Step(stage);
            }
            encoder.Finish(codes, squared);
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalNanoseconds / Count);
            error += squared.Sum() / (16 * Count);
        }
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  keys, beam {beam}: {best:F0} ns a token and head, mean squared residual {error:F4}"));
    }

    // Few directions, channel scales, a mean; "other" draws unseen vectors of the same head.
    public static ReadOnlyMemory<float> Draw(int count, int seed, bool other = false)
    {
        const int Rank = 10;
        var random = new Random(seed);
        float[] basis = [.. Enumerable.Range(0, Rank * HeadDim).Select(_ => (float)Normal(random))];
        float[] mean = [.. Enumerable.Range(0, HeadDim).Select(_ => (float)Normal(random))];
        random = new Random(seed + (other ? 1000 : 500));
        float[] rows = new float[count * HeadDim];
        for (int row = 0; row < count; row++)
        {
            Span<float> target = rows.AsSpan(row * HeadDim, HeadDim);
            for (int channel = 0; channel < HeadDim; channel++)
            {
                target[channel] = mean[channel] + (0.25f * (float)Normal(random));
            }
            for (int i = 0; i < Rank; i++)
            {
                float mix = (float)(Normal(random) / Math.Sqrt(Rank));
                for (int channel = 0; channel < HeadDim; channel++)
                {
                    target[channel] += mix * basis[(i * HeadDim) + channel];
                }
            }
        }
        return rows;
    }

    private static double Normal(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
