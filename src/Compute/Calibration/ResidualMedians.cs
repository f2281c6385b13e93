using Concertina.Compute.Calibration.CommVq;
using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Codecs;
using Concertina.Compute.KvCache.Codecs.CommVq;
using Concertina.Compute.KvCache.Codecs.CommVq.Books;
using Concertina.Compute.KvCache.Memory;

namespace Concertina.Compute.Calibration;

/// <summary>Measures what pages of the calibration text lose, per head, side and codec.</summary>
internal static class ResidualMedians
{
    /// <summary>Measures; a rotation keeps norms, so keys before RoPE lose what those after it do.</summary>
    /// <param name="books">Trained books.</param>
    /// <param name="heads">The samples they were trained on.</param>
    /// <param name="threads">Threads.</param>
    /// <param name="cancellation">Cancels between heads.</param>
    public static CommVqResiduals Of(CommVqBooks books, IReadOnlyList<HeadSample> heads, int threads, CancellationToken cancellation)
    {
        (CommVqCodec two, CommVqCodec one) = CommVqCodec.Make(new CommVqSetup
        {
            Books = books,
            Frequencies = [],
            PositionCount = KvShape.PageTokens,
            HistogramValues = false,
        });
        float[] keys = new float[2 * heads.Count];
        float[] values = new float[2 * heads.Count];
        var options = new ParallelOptions { MaxDegreeOfParallelism = threads, CancellationToken = cancellation };
        Parallel.For(0, heads.Count, options, head =>
        {
            keys[2 * head] = Median(two, KvSide.Keys, heads[head].Keys.Span, head, books.HeadDim);
            keys[(2 * head) + 1] = Median(one, KvSide.Keys, heads[head].Keys.Span, head, books.HeadDim);
            values[2 * head] = Median(two, KvSide.Values, heads[head].Values.Span, head, books.HeadDim);
            values[(2 * head) + 1] = Median(one, KvSide.Values, heads[head].Values.Span, head, books.HeadDim);
        });
        return new CommVqResiduals(keys, values);
    }

    private static float Median(CommVqCodec codec, KvSide side, ReadOnlySpan<float> rows, int head, int headDim)
    {
        var site = new PartSite(UnitShape.HeadPage(new KvShape(1, 1, 1, headDim)), head, 0);
        byte[] part = new byte[codec.PartBytes(side, site.Shape)];
        int pageLength = KvShape.PageTokens * headDim;
        float[] decoded = new float[pageLength];
        List<double> residuals = [];
        for (int at = 0; at < rows.Length; at += pageLength)
        {
            ReadOnlySpan<float> page = rows.Slice(at, Math.Min(pageLength, rows.Length - at));
            codec.Encode(side, page, site, part);
            codec.Decode(side, part, site, decoded.AsSpan(0, page.Length));
            residuals.Add(PageResidual.Of(page, decoded));
        }
        residuals.Sort();
        return (float)residuals[residuals.Count / 2];
    }
}
