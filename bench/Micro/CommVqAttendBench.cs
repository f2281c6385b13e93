// Question: what does attention over CommVQ pages cost, which form of values is faster at which group size, and what does encoding cost?
using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using Concertina.Compute.Attention;
using Concertina.Compute.Attention.Lanes;
using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Codecs;
using Concertina.Compute.KvCache.Codecs.CommVq;
using Concertina.Compute.KvCache.Codecs.CommVq.Books;
using Concertina.Compute.KvCache.Codecs.F16;
using Concertina.Compute.KvCache.Memory;

namespace Concertina.Micro;

/// <summary>Attention over 4096 tokens of one head in runs of 16 pages on one thread; the smallest of several runs.</summary>
internal static unsafe class CommVqAttendBench
{
    private const int HeadDim = 64;
    private const int PageCount = 64;
    private const int RunPages = 16;

    public static void Run(TextWriter output)
    {
        output.WriteLine("codec         values          rows  ns a token and head");
        float[] rows = CommVqBench.Draw(PageCount * KvShape.PageTokens, 0, other: true).ToArray();
        int[] counts = [1, 2, 3, 4, 16, 128];
        Measure(output, "f16", new F16Codec(), rows, counts);
        Measure(output, "int8", CodecCatalog.Find("int8")!, rows, counts);
        Encode(output, CodecCatalog.Find("int8")!, rows);
        foreach (CommVqShape shape in new CommVqShape[] { new(16, 16, 16, 32), new(16, 16, 64, 20), new(16, 16, 256, 16), new(64, 10, 256, 16) })
        {
            CommVqBooks books = CommVqBench.Books(shape);
            foreach (bool histogram in new[] { false, true })
            {
                CommVqSetup setup = new()
                {
                    Books = books,
                    Frequencies = [.. Enumerable.Range(0, HeadDim / 2).Select(pair => Math.Pow(10_000, -2.0 * pair / HeadDim))],
                    PositionCount = 8192,
                    HistogramValues = histogram,
                };
                (CommVqCodec two, CommVqCodec one) = CommVqCodec.Make(setup);
                string form = $"{shape.KeyLevels}x{shape.KeyStages} {shape.ValueLevels}x{shape.ValueStages} {(histogram ? "histogram" : "tile")}";
                Measure(output, "commvq2 " + form, two, rows, counts);
                Measure(output, "commvq1 " + form, one, rows, counts);
                if (!histogram)
                {
                    Encode(output, two, rows);
                }
            }
        }
    }

    private static void Encode(TextWriter output, IKvCodec codec, float[] rows)
    {
        UnitShape shape = UnitShape.HeadPage(new KvShape(1, 1, 1, HeadDim));
        foreach (KvSide side in new[] { KvSide.Keys, KvSide.Values })
        {
            byte[] part = new byte[codec.PartBytes(side, shape)];
            double best = double.MaxValue;
            var total = Stopwatch.StartNew();
            for (int repeat = 0; total.Elapsed.TotalSeconds < 0.6; repeat++)
            {
                int page = repeat % PageCount * KvShape.PageTokens;
                long start = Stopwatch.GetTimestamp();
                codec.Encode(side, rows.AsSpan(page * HeadDim, KvShape.PageTokens * HeadDim), new PartSite(shape, 0, page), part);
                best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalNanoseconds / KvShape.PageTokens);
            }
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  encode {side}: {best:F0} ns a token and head"));
        }
    }

    private static void Measure(TextWriter output, string name, IKvCodec codec, float[] rows, int[] counts)
    {
        UnitShape shape = UnitShape.HeadPage(new KvShape(1, 1, 1, HeadDim));
        int keyBytes = codec.PartBytes(KvSide.Keys, shape);
        int pageBytes = (keyBytes + codec.PartBytes(KvSide.Values, shape) + 63) & ~63;
        byte[] pages = GC.AllocateArray<byte>((PageCount * pageBytes) + 64, pinned: true);
        byte* first = (byte*)Unsafe.AsPointer(ref pages[0]);
        int aligned = (int)((64 - ((long)first & 63)) & 63);
        UnitView* views = stackalloc UnitView[PageCount];
        for (int page = 0; page < PageCount; page++)
        {
            int at = aligned + (page * pageBytes);
            var site = new PartSite(shape, 0, page * KvShape.PageTokens);
            ReadOnlySpan<float> source = rows.AsSpan(page * KvShape.PageTokens * HeadDim, KvShape.PageTokens * HeadDim);
            codec.Encode(KvSide.Keys, source, site, pages.AsSpan(at, keyBytes));
            codec.Encode(KvSide.Values, source, site, pages.AsSpan(at + keyBytes, codec.PartBytes(KvSide.Values, shape)));
            views[page] = new UnitView
            {
                Keys = first + at,
                Values = first + at + keyBytes,
                KeyData = codec.Data(KvSide.Keys, 0),
                ValueData = codec.Data(KvSide.Values, 0),
                Start = page * KvShape.PageTokens,
                Slots = KvShape.PageTokens,
                IsFinite = true,
            };
        }
        IUnitAttend attend = codec.AttendWith(codec, VectorPaths.Best);
        string times = string.Concat(counts.Select(count => string.Create(CultureInfo.InvariantCulture, $" {Time(attend, views, codec, count),8:F1}")));
        output.WriteLine($"{name,-36}{times}");
        GC.KeepAlive(pages);
    }

    private static double Time(IUnitAttend attend, UnitView* views, IKvCodec codec, int rows)
    {
        var scratch = new AttentionScratch(rows, HeadDim, new CodecSet([codec]));
        RowBlock block = scratch.Block(rows);
        var random = new Random(3);
        for (int i = 0; i < block.PaddedRows * HeadDim; i++)
        {
            block.Queries[i] = ((float)random.NextDouble() - 0.5f) / 4;
            block.Values[i] = 0;
            if (block.PaddedRows <= 4)
            {
                block.WideQueries[i] = block.Queries[i] * 5.192296858534828e33f;
            }
        }
        block.QueriesAreSmall = true;
        double best = double.MaxValue;
        for (Stopwatch total = Stopwatch.StartNew(); total.Elapsed.TotalSeconds < 0.25;)
        {
            for (int row = 0; row < block.PaddedRows; row++)
            {
                block.Positions[row] = PageCount * KvShape.PageTokens;
                block.Maximum[row] = float.NegativeInfinity;
                block.Sum[row] = 0;
            }
            long start = Stopwatch.GetTimestamp();
            for (int page = 0; page < PageCount; page += RunPages)
            {
                attend.Attend(views + page, RunPages, ref block);
            }
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalNanoseconds);
        }
        GC.KeepAlive(scratch);
        return best / (PageCount * KvShape.PageTokens);
    }
}
