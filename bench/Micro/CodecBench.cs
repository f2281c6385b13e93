// Question: what does attention on packed pages cost against 16-bit pages, and how fast are pages encoded?
using System.Diagnostics;
using Concertina.Compute.Attention;
using Concertina.Compute.Attention.Folds;
using Concertina.Compute.Attention.Lanes;
using Concertina.Compute.Kernels;
using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Codecs;
using Concertina.Compute.KvCache.Memory;

namespace Concertina.Micro;

/// <summary>One KV head of 8192 tokens per codec on one thread; the codecs take turns, and the smallest of their runs counts.</summary>
internal static unsafe class CodecBench
{
    private const int Tokens = 8192;
    private const int PageCount = Tokens / KvShape.PageTokens;
    private const double CaseSeconds = 1.5;
    private const double EncodeSeconds = 0.5;

    private static readonly (string Keys, string Values)[] Rungs =
        [("f16", "f16"), ("int8", "int8"), ("int8", "int4"), ("int4", "int4"), ("int4", "int2"), ("int2", "int2")];

    /// <summary>Writes a line per case and rung.</summary>
    public static void Run(TextWriter output)
    {
        output.WriteLine($"vector path {VectorPaths.Best}; {Tokens} tokens; one thread; minimum of repeated runs");
        foreach (int headDim in new[] { 64, 128 })
        {
            Encode(output, headDim);
            foreach (int rows in new[] { 1, 2, 3, 4, 16, 64 })
            {
                Attend(output, headDim, rows);
            }
        }
    }

    private static void Attend(TextWriter output, int headDim, int rows)
    {
        Head[] heads = [.. Rungs.Select(rung => new Head(CodecCatalog.Find(rung.Keys)!, CodecCatalog.Find(rung.Values)!, headDim))];
        double[] best = [.. heads.Select(_ => double.MaxValue)];
        AttentionScratch scratch = new(rows, headDim, CodecCatalog.WithoutProfile());
        for (Stopwatch total = Stopwatch.StartNew(); total.Elapsed.TotalSeconds < CaseSeconds;)
        {
            for (int i = 0; i < heads.Length; i++)
            {
                // Once unmeasured: each finds its pages in the cache as far as they fit, not the other's.
                heads[i].Attend(scratch, rows);
                long start = Stopwatch.GetTimestamp();
                heads[i].Attend(scratch, rows);
                best[i] = Math.Min(best[i], Stopwatch.GetElapsedTime(start).TotalNanoseconds);
            }
        }
        for (int i = 0; i < heads.Length; i++)
        {
            output.WriteLine(
                $"headDim {headDim,3} rows {rows,2}  {Rungs[i].Keys,4}/{Rungs[i].Values,-4} {heads[i].TokenBytes,5} bytes/token " +
                $"{best[i] / Tokens,8:F2} ns/token  {best[i] / best[0],5:F2} x f16");
            heads[i].Dispose();
        }
    }

    private static void Encode(TextWriter output, int headDim)
    {
        UnitShape shape = UnitShape.HeadPage(new KvShape(1, 1, 1, headDim));
        float[] rows = Head.Draw(shape.ElementCount, 3);
        foreach (IKvCodec codec in CodecCatalog.All)
        {
            foreach (KvSide side in Enum.GetValues<KvSide>())
            {
                byte[] part = new byte[codec.PartBytes(side, shape)];
                double best = Best(() => codec.Encode(side, rows, new PartSite(shape, 0, 0), part));
                float[] decoded = new float[rows.Length];
                double back = Best(() => codec.Decode(side, part, new PartSite(shape, 0, 0), decoded));
                double bytes = rows.Length * sizeof(ushort);
                output.WriteLine(
                    $"headDim {headDim,3} {codec.Name,-6} {side,-6} encode {bytes / best * 1e3,6:F0} MB/s, decode {bytes / back * 1e3,6:F0} MB/s of 16-bit values");
            }
        }
    }

    private static double Best(Action action)
    {
        double best = double.MaxValue;
        for (Stopwatch total = Stopwatch.StartNew(); total.Elapsed.TotalSeconds < EncodeSeconds;)
        {
            long start = Stopwatch.GetTimestamp();
            action();
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalNanoseconds);
        }
        return best;
    }

    private sealed class Head : IDisposable
    {
        private readonly NativeBuffer _pages;
        private readonly UnitView[] _views = GC.AllocateArray<UnitView>(PageCount, pinned: true);
        private readonly IUnitAttend _attend;
        private readonly float[] _queries;

        public Head(IKvCodec keys, IKvCodec values, int headDim)
        {
            UnitShape shape = UnitShape.HeadPage(new KvShape(1, 1, 1, headDim));
            int keyBytes = keys.PartBytes(KvSide.Keys, shape);
            int pageBytes = keyBytes + values.PartBytes(KvSide.Values, shape);
            TokenBytes = pageBytes / KvShape.PageTokens;
            _pages = new NativeBuffer((long)pageBytes * PageCount);
            _attend = keys.AttendWith(values, VectorPaths.Best);
            _queries = Draw(64 * headDim, 2);
            for (int page = 0; page < PageCount; page++)
            {
                byte* start = (byte*)_pages.Pointer + ((long)page * pageBytes);
                PartSite site = new(shape, 0, page * KvShape.PageTokens);
                keys.Encode(KvSide.Keys, Draw(shape.ElementCount, page), site, new Span<byte>(start, keyBytes));
                values.Encode(KvSide.Values, Draw(shape.ElementCount, -page), site, new Span<byte>(start + keyBytes, pageBytes - keyBytes));
                _views[page] = new UnitView
                {
                    Keys = start,
                    Values = start + keyBytes,
                    Start = site.Start,
                    Slots = KvShape.PageTokens,
                    IsFinite = true,
                };
            }
        }

        public int TokenBytes { get; }

        /// <summary>As <see cref="PagedAttention"/> does it: runs of 16 pages, folded one after another.</summary>
        public void Attend(AttentionScratch scratch, int rows)
        {
            RowBlock block = scratch.Block(rows);
            block.QueriesAreSmall = true;
            for (int i = 0; i < block.PaddedRows * block.HeadDim; i++)
            {
                block.Queries[i] = _queries[i];
                if (rows <= 4)
                {
                    block.WideQueries[i] = _queries[i] * 5.192296858534828e33f;
                }
            }
            new Span<int>(block.Positions, block.PaddedRows).Fill(Tokens);
            new Span<float>(scratch.TotalMaximum, rows).Fill(float.NegativeInfinity);
            fixed (UnitView* views = _views)
            {
                for (int page = 0; page < PageCount; page += AttentionPlan.SplitPages)
                {
                    new Span<float>(block.Maximum, block.PaddedRows).Fill(float.NegativeInfinity);
                    new Span<float>(block.Sum, block.PaddedRows).Clear();
                    new Span<float>(block.Values, block.PaddedRows * block.HeadDim).Clear();
                    _attend.Attend(views + page, AttentionPlan.SplitPages, ref block);
                    for (int row = 0; row < rows; row++)
                    {
                        RowPartial part = new(block.Maximum[row], block.Sum[row], block.Values + (row * block.HeadDim), block.HeadDim);
                        PartialMerge.Add(
                            ref scratch.TotalMaximum[row], ref scratch.TotalSum[row], scratch.TotalValues + (row * block.HeadDim), part);
                    }
                }
            }
        }

        public void Dispose() => _pages.Dispose();

        public static float[] Draw(int count, int seed)
        {
            Random random = new(seed);
            float[] values = new float[count];
            for (int i = 0; i < count; i++)
            {
                values[i] = ((float)random.NextDouble() * 2f) - 1f;
            }
            return values;
        }
    }
}
